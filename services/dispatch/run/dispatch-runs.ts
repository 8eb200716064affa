// The repeated work of a replica, and what its metrics tell of it.
import { dispatchStatuses } from '../../../contracts/dispatch.ts';
import type { Database } from '../../../infra/database/database.ts';
import { createLeaseHolder } from '../../../infra/database/lease-holder.ts';
import { createQueueGauges } from '../../../infra/database/queue-gauges.ts';
import { type Component, sequence } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Metrics } from '../../../infra/metrics.ts';
import { createRepetition } from '../../../infra/repeat.ts';
import type { Player } from '../play/player.ts';
import { buryRuns, clearEvents, reapRuns } from './clear-runs.ts';
import { createHeldRuns } from './held-runs.ts';
import type { RunPlayer } from './play-run.ts';
import { createRunStore, leaseMs } from './run-store.ts';

const holderLimits = {
  pollMs: 1000,
  claimPaceMs: 20,
  renewMs: leaseMs / 4,
  gatherMs: 0,
  storeRetryMs: 1000,
  // A process has fifteen seconds for its stop.
  settleLimitMs: 9000,
  stopLimitMs: 11_000,
} as const;
const watchMs = 500;
const clearMs = 1000;
const upkeepMs = 10 * 60_000;

export type DispatchRuns = Component & {
  /** There are new runs. */
  wake(): void;
  /** Some are to be stopped. */
  stopSoon(): void;
};

/**
 * Plays runs, stops those that are to be stopped, clears up after replicas that are gone, forgets old events, and measures.
 * Every replica does all of it; none of it minds being done twice.
 */
export function createDispatchRuns(
  options: Omit<RunPlayer, 'store' | 'player'> & {
    player: Player;
    database: Database;
    /** For upkeep: one connection, on which a statement may take long. */
    upkeepDatabase: Database;
    /** Names this process in the leases that it holds. */
    replica: string;
    /** Replicas that are known to be gone: what they held is not waited for. */
    listGoneReplicas(): Promise<string[]>;
    /** Runs at once. */
    concurrency: number;
    retentionDays: number;
    metrics: Metrics;
    logger: Logger;
  },
): DispatchRuns {
  const { database, upkeepDatabase, player, replica, concurrency, retentionDays, metrics, logger } = options;
  const store = createRunStore(database, replica);
  const ended = metrics.counter('probe_dispatch_runs_total', 'Runs that have ended', ['status']);
  const reaped = metrics.counter('probe_dispatch_leases_reaped_total', 'Leases that ran out');
  const buried = metrics.counter('probe_dispatch_runs_buried_total', 'Runs that nobody could end');
  const fenced = metrics.counter('probe_dispatch_runs_fenced_total', 'Runs that ended after another claim');
  // An alarm on the growth of a counter needs to see where it started.
  for (const status of Object.keys(dispatchStatuses)) ended.inc({ status }, 0);
  const queue = createQueueGauges({
    prefix: 'probe_dispatch_runs',
    noun: 'run',
    database: upkeepDatabase,
    table: 'dispatch_run',
    metrics,
    logger,
  });
  metrics.gauge('probe_dispatch_runs_held', 'Runs claimed here and not yet stored', () => held.count());

  const held = createHeldRuns({
    ...options,
    store,
    onFinished({ verdict }) {
      holder.storeSoon();
      ended.inc({ status: nameOf(verdict.status) });
    },
  });
  const isFull = () => held.count() >= concurrency;
  const holder = createLeaseHolder({
    noun: 'run',
    work: {
      async claim(limit) {
        // Without Ansible here, others may have it.
        if ((await player.findFault()) !== undefined) return { items: [], nextDueMs: undefined };
        return { items: await store.claim(limit), nextDueMs: undefined };
      },
      renew: store.renew,
      release: store.release,
      async finish(done) {
        fenced.inc(done.length - (await store.finish(done)));
      },
    },
    held: { ...held, countBounds: () => (isFull() ? 1 : 0) },
    planClaim: () => Math.max(0, concurrency - held.count()),
    limits: holderLimits,
    logger,
  });

  let goneReplicas: string[] | undefined;
  async function takeOver(): Promise<void> {
    goneReplicas ??= await options.listGoneReplicas();
    for (let gone = goneReplicas[0]; gone !== undefined; gone = goneReplicas[0]) {
      const runs = await store.giveUpLeases(gone);
      if (runs > 0) logger.warn({ runs, replica: gone }, 'a replica is gone, its runs are taken over');
      goneReplicas.shift();
    }
  }

  const watching = createRepetition({
    name: 'watching for stops',
    intervalMs: watchMs,
    logger,
    async work() {
      held.stop(await store.listStopWanted(held.playing()));
      return { hasMore: false };
    },
  });
  const repetitions = [
    createRepetition({
      name: 'upkeep',
      intervalMs: upkeepMs,
      logger,
      work: () => clearEvents(upkeepDatabase, { retentionDays }),
    }),
    queue,
    createRepetition({
      name: 'clearing runs',
      intervalMs: clearMs,
      logger,
      async work() {
        await takeOver();
        const lapsed = await reapRuns(database);
        reaped.inc(lapsed);
        if (lapsed > 0) {
          logger.warn({ runs: lapsed }, 'leases ran out');
          holder.wake();
        }
        const lost = await buryRuns(database);
        buried.inc(lost);
        if (lost > 0) logger.warn({ runs: lost }, 'runs ended without a known outcome');
        return { hasMore: lapsed + lost > 0 };
      },
    }),
    watching,
    holder,
  ];

  return { ...sequence(repetitions), wake: holder.wake, stopSoon: () => watching.hurry() };
}

function nameOf(status: number): string {
  return Object.entries(dispatchStatuses).find(([, value]) => value === status)?.[0] ?? String(status);
}
