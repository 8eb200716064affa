// The agent's part in recurring tasks: register → claim → probe → store, with leases that are kept while it works.
import { setTimeout as pause } from 'node:timers/promises';
import { sessionBeatMs } from '../../../contracts/agent.ts';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { Component } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Metrics } from '../../../infra/metrics.ts';
import { createRepetition } from '../../../infra/repeat.ts';
import type { CellRunner } from '../run-cells.ts';
import { createHeldRuns } from './hold-runs.ts';
import type { FinishedRun, RunStore } from './run-store.ts';
import { leaseMs } from './run-store.ts';

/** Runs are looked for this often without being told of any. */
const pollMs = 3000;
/** Runs that become due one after the other are claimed together. */
const claimPaceMs = 100;
const claimBatch = 200;
const storeBatch = 200;
const storeLength = 2 * 1024 * 1024;
/** A run that is probed waits this long for company on its way into the database. */
const gatherMs = 20;
const storeRetryMs = 1000;
/** At a stop: longest wait for cells under way, and for all of it. */
const settleLimitMs = 3000;
const stopLimitMs = 6000;

/**
 * Claims the runs of this agent and probes them as long as it runs. While the database is away it goes on with what it
 * holds, and stores it when the database is back. `stop` claims nothing more, gives what is under way three seconds,
 * stores what is there and hands back the rest.
 */
export function createRecurringRuns(options: {
  store: RunStore;
  cells: Pick<CellRunner, 'run'>;
  /** Claims no further runs while it holds that many cells. */
  maxHeldCells: number;
  metrics: Metrics;
  logger: Logger;
}): Component & { /** Looks for runs at once. */ wake(): void } {
  const { store, cells, maxHeldCells, metrics, logger } = options;
  const claimed = metrics.counter('probe_runs_claimed_total', 'Runs claimed');
  const lag = metrics.latency('probe_run_lag_seconds', 'From the moment a run is due to its claim');
  const stored = metrics.counter('probe_results_stored_total', 'Results of recurring tasks stored');
  const fenced = metrics.counter('probe_runs_fenced_total', 'Runs whose results came after another claim');
  metrics.gauge('probe_runs_held', 'Runs claimed and not yet stored', () => held.runCount());
  const held = createHeldRuns({ cells, onProbed: () => storing.hurry(gatherMs), logger });
  let isRegistered = false;
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

  const claiming = createRepetition({
    name: 'claiming runs',
    intervalMs: pollMs,
    logger,
    async work() {
      if (held.cellCount() >= maxHeldCells) return { hasMore: false };
      const { runs, nextDueMs } = await store.claim(claimBatch);
      for (const run of runs) {
        claimed.inc();
        lag.observe(run.lagMs / 1000);
        held.take(run);
      }
      if (nextDueMs !== undefined) claiming.hurry(Math.max(nextDueMs, claimPaceMs));
      return { hasMore: runs.length === claimBatch };
    },
  });

  const renewal = createRepetition({
    name: 'renewing leases',
    intervalMs: leaseMs / 3,
    logger,
    async work() {
      const claims = held.claims();
      // What is not ours any more is found out when it is stored.
      if (claims.length > 0) await store.renew(claims);
      return { hasMore: false };
    },
  });

  const storing = createRepetition({
    name: 'storing results',
    intervalMs: storeRetryMs,
    logger,
    work: storeProbed,
  });

  async function storeProbed(): Promise<{ hasMore: boolean }> {
    const runs = held.probed(storeBatch, storeLength);
    if (runs.length === 0) return { hasMore: false };
    const wasFull = held.cellCount() >= maxHeldCells;
    await storeTogether(runs);
    if (wasFull) claiming.hurry();
    return { hasMore: true };
  }

  /** What the database refuses for a fault of its own must not hold up the others. */
  async function storeTogether(runs: FinishedRun[]): Promise<void> {
    try {
      const done = await store.finish(runs);
      stored.inc(done.results);
      fenced.inc(runs.length - done.runs);
    } catch (error) {
      if (error instanceof ProbeTaskError) throw error;
      if (runs.length > 1) {
        for (const run of runs) await storeTogether([run]);
        return;
      }
      logger.error({ err: error, run: runs[0]?.claim.id }, 'the results of a run cannot be stored');
    }
    held.drop(runs.map(({ claim }) => claim));
  }

  async function handOver(): Promise<void> {
    await claiming.stop();
    await held.settle(settleLimitMs);
    await storing.stop();
    try {
      while ((await storeProbed()).hasMore);
      const rest = held.claims();
      held.drop(rest);
      if (rest.length > 0) await store.release(rest);
      logger.info({ runs: rest.length }, 'runs handed back');
    } catch (error) {
      // Their leases run out; what was probed is probed again.
      logger.warn({ err: error, runs: held.runCount() }, 'runs could not be handed back');
    }
    await renewal.stop();
    await registration.stop();
  }

  return {
    wake: () => claiming.hurry(),
    async start() {
      for (const repetition of [registration, claiming, renewal, storing]) await repetition.start();
    },
    stop() {
      stopping ??= Promise.race([handOver(), pause(stopLimitMs, undefined, { ref: false })]);
      return stopping;
    },
  };
}
