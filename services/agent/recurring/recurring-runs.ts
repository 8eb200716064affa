// The agent's part in recurring tasks: register → claim → probe → store, with leases that are kept while it works.
import { sessionBeatMs } from '../../../contracts/agent.ts';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { maxRunCells } from '../../../contracts/run.ts';
import { isDataFault } from '../../../infra/database/data-fault.ts';
import type { Claim } from '../../../infra/database/lease-table.ts';
import type { Component } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Metrics } from '../../../infra/metrics.ts';
import { createRepetition } from '../../../infra/repeat.ts';
import type { CellRunner } from '../run-cells.ts';
import { planClaim, planClaimRoom } from './claim-room.ts';
import { createHeldRuns } from './held-runs.ts';
import type { FinishedRun, RunStore } from './run-store.ts';
import { leaseMs } from './run-store.ts';

/** Runs are looked for this often without being told of any. */
const pollMs = 3000;
/** Runs that become due one after the other are claimed together, however often somebody tells of one. */
const claimPaceMs = 100;
const storeBatch = 200;
const storeLength = 2 * 1024 * 1024;
/** A run that is probed waits this long for company on its way into the database. */
const gatherMs = 20;
const storeRetryMs = 1000;
/** At a stop: longest wait for cells under way, and for all of it; whoever stops the database waits for what is left. */
const settleLimitMs = 3000;
const stopLimitMs = 6000;

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
  const held = createHeldRuns({ cells, onProbed: () => storing.hurry(gatherMs), logger });
  let isRegistered = false;
  /** Of the runs claimed last, on average. */
  let cellsPerRun = maxRunCells;
  let isClaiming = false;
  let isClaimWanted = false;
  let claimEndedAt = -Infinity;
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
      const limit = planClaim(maxCells - held.cellCount(), cellsPerRun);
      if (limit === 0) return { hasMore: false };
      isClaiming = true;
      try {
        return { hasMore: (await claim(limit)) === limit };
      } finally {
        isClaiming = false;
        claimEndedAt = performance.now();
        if (isClaimWanted) claiming.hurry(claimPaceMs);
        isClaimWanted = false;
      }
    },
  });

  function claimSoon(): void {
    if (isClaiming) isClaimWanted = true;
    else claiming.hurry(Math.max(claimEndedAt + claimPaceMs - performance.now(), 0));
  }

  async function claim(limit: number): Promise<number> {
    const { runs, nextDueMs } = await store.claim(limit, held.tasksHolding(maxTaskCells));
    if (stopping !== undefined) {
      if (runs.length > 0) await store.release(runs.map((run) => run.claim));
      logger.info({ runs: runs.length }, 'runs handed back that were claimed during the stop');
      return 0;
    }
    const cellsBefore = held.cellCount();
    for (const run of runs) {
      claimed.inc();
      lag.observe(run.lagMs / 1000);
      held.take(run);
    }
    if (runs.length > 0) cellsPerRun = Math.max((held.cellCount() - cellsBefore) / runs.length, 1);
    if (nextDueMs !== undefined) claiming.hurry(Math.max(nextDueMs, claimPaceMs));
    return runs.length;
  }

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
    await storeTogether(runs);
    return { hasMore: true };
  }

  /**
   * One run must not hold up the others: what the database will never take is dropped, what it does not take for another
   * reason goes behind all others.
   */
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
      const [run] = runs;
      if (run !== undefined && !isDataFault(error)) {
        held.putOff(run.claim);
        throw new Error(`the results of run ${run.claim.id} are kept for later`, { cause: error });
      }
      logger.error({ err: error, run: run?.claim.id }, 'the results of a run cannot be stored');
    }
    letGo(runs.map((run) => run.claim));
  }

  /** Where a bound is not reached any more there may be something to claim. */
  function letGo(claims: Claim[]): void {
    const before = countBounds();
    held.drop(claims);
    if (countBounds() < before) claimSoon();
  }

  function countBounds(): number {
    const isFull = held.cellCount() >= maxCells;
    return held.tasksHolding(maxTaskCells).length + (isFull ? 1 : 0);
  }

  /** A claim under way gives back what it gets, at the same time as the rest is settled. */
  async function handOver(): Promise<void> {
    const endAt = performance.now() + stopLimitMs;
    const repetitions = [claiming, renewal, registration].map((each) => each.stop());
    await held.settle(settleLimitMs);
    await storing.stop();
    try {
      while (performance.now() < endAt && (await storeProbed()).hasMore);
    } catch (error) {
      logger.warn({ err: error }, 'results could not be stored');
    }
    const rest = held.claims();
    try {
      if (performance.now() >= endAt) throw new ProbeTaskError('UNAVAILABLE', 'the database took too long');
      if (rest.length > 0) await store.release(rest);
      logger.info({ runs: rest.length }, 'runs handed back');
    } catch (error) {
      // Their leases run out; what was probed is probed again.
      logger.warn({ err: error, runs: rest.length }, 'runs could not be handed back');
    }
    await Promise.all(repetitions);
  }

  return {
    wake: claimSoon,
    async start() {
      for (const repetition of [registration, claiming, renewal, storing]) await repetition.start();
    },
    stop() {
      stopping ??= new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, stopLimitMs);
        handOver()
          .finally(() => clearTimeout(timer))
          .then(resolve, reject);
      });
      return stopping;
    },
  };
}
