// The agent's part in recurring tasks: register → claim → probe → store, with leases that are kept while it works.
import { sessionBeatMs } from '../../../contracts/agent.ts';
import { maxRunCells } from '../../../contracts/run.ts';
import { createLeaseHolder, type LeaseWork } from '../../../infra/database/lease-holder.ts';
import type { Component } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Metrics } from '../../../infra/metrics.ts';
import { createRepetition } from '../../../infra/repeat.ts';
import { waitAtMost } from '../../../infra/wait-at-most.ts';
import type { CellRunner } from '../run-cells.ts';
import { planClaim, planClaimRoom } from './claim-room.ts';
import { createHeldRuns } from './held-runs.ts';
import type { ClaimedRun, FinishedRun, RunStore } from './run-store.ts';
import { leaseMs } from './run-store.ts';

const limits = {
  pollMs: 3000,
  claimPaceMs: 100,
  renewMs: leaseMs / 3,
  gatherMs: 20,
  storeRetryMs: 1000,
  settleLimitMs: 3000,
  stopLimitMs: 6000,
};
const storeBatch = 200;
const storeLength = 2 * 1024 * 1024;

/**
 * Claims the runs of this agent and probes them as long as it runs, and leaves room for runs of other tasks than those
 * whose servers do not answer. While the database is away it goes on with what it holds, and stores it when the database
 * is back. `stop` claims nothing more, gives what is under way three seconds, stores what is there and hands back the
 * rest, six seconds at most.
 */
export function createRecurringRuns(options: {
  store: RunStore;
  cells: Pick<CellRunner, 'run'>;
  /** Queries that the engine asks at once. */
  concurrency: number;
  metrics: Metrics;
  logger: Logger;
}): Component & { /** Looks for runs at once, or as soon as the pace allows. */ wake(): void } {
  const { store, cells, concurrency, metrics, logger } = options;
  const { maxCells, maxTaskCells } = planClaimRoom(concurrency);
  const claimed = metrics.counter('probe_runs_claimed_total', 'Runs claimed');
  const lag = metrics.latency('probe_run_lag_seconds', 'From the moment a run is due to its claim');
  const stored = metrics.counter('probe_results_stored_total', 'Results of recurring tasks stored');
  const fenced = metrics.counter('probe_runs_fenced_total', 'Runs whose results came after another claim');
  metrics.gauge('probe_runs_held', 'Runs claimed and not yet stored', () => held.runCount());
  const held = createHeldRuns({ cells, onProbed: () => holder.storeSoon(), logger });
  let isRegistered = false;
  /** Of the runs claimed last, on average. */
  let cellsPerRun = maxRunCells;
  let stopping: Promise<void> | undefined;

  const registration = createRepetition({
    name: 'registration',
    intervalMs: sessionBeatMs,
    logger,
    async work() {
      isRegistered &&= await store.beat();
      if (!isRegistered) await store.register();
      isRegistered = true;
      return { hasMore: false };
    },
  });

  const work: LeaseWork<ClaimedRun, FinishedRun> = {
    ...store,
    async claim(limit) {
      const { runs, nextDueMs } = await store.claim(limit, held.tasksHolding(maxTaskCells));
      const cellCount = runs.reduce((sum, run) => sum + countCells(run), 0);
      if (runs.length > 0) cellsPerRun = Math.max(cellCount / runs.length, 1);
      return { items: runs, nextDueMs };
    },
    async finish(runs) {
      const done = await store.finish(runs);
      stored.inc(done.results);
      fenced.inc(runs.length - done.runs);
    },
  };

  const holder = createLeaseHolder({
    noun: 'run',
    work,
    held: {
      ...held,
      take(run) {
        claimed.inc();
        lag.observe(run.lagMs / 1000);
        held.take(run);
      },
      done: () => held.probed(storeBatch, storeLength),
      countBounds() {
        const isFull = held.cellCount() >= maxCells;
        return held.tasksHolding(maxTaskCells).length + (isFull ? 1 : 0);
      },
    },
    planClaim: () => planClaim(maxCells - held.cellCount(), cellsPerRun),
    limits,
    logger,
  });

  return {
    wake: holder.wake,
    async start() {
      await registration.start();
      await holder.start();
    },
    stop() {
      stopping ??= waitAtMost(Promise.all([registration.stop(), holder.stop()]), limits.stopLimitMs);
      return stopping;
    },
  };
}

function countCells({ payload }: ClaimedRun): number {
  return payload === undefined ? 0 : payload.servers.length * payload.targets.length;
}
