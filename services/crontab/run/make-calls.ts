// A replica's part in the calls: claim → wait → call → store, with leases that are kept meanwhile.
import { createLeaseHolder, type LeaseHolder } from '../../../infra/database/lease-holder.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Metrics } from '../../../infra/metrics.ts';
import type { Caller } from '../callback/caller.ts';
import { planClaim } from './claim-room.ts';
import { createDatabaseClock } from './database-clock.ts';
import { createHeldCalls } from './held-calls.ts';
import { leaseMs, type RunStore } from './run-store.ts';

const limits = {
  // Other replicas plan ahead by more than this.
  pollMs: 250,
  claimPaceMs: 20,
  renewMs: leaseMs / 3,
  gatherMs: 15,
  storeRetryMs: 1000,
  // A process has fifteen seconds for its stop.
  settleLimitMs: 8000,
  stopLimitMs: 10_000,
} as const;
/** `concurrency`: runs that are held at once. */
export function createCallMaker(options: {
  store: RunStore;
  caller: Pick<Caller, 'call'>;
  concurrency: number;
  metrics: Metrics;
  logger: Logger;
}): LeaseHolder {
  const { store, caller, concurrency, metrics, logger } = options;
  const lateness = metrics.latency(
    'probe_crontab_lateness_seconds',
    'From the moment a call is due to its beginning',
  );
  const calls = metrics.counter('probe_crontab_calls_total', 'Calls that have ended', ['method', 'outcome']);
  const duration = metrics.latency('probe_crontab_call_seconds', 'From the beginning of a call to its end');
  const fenced = metrics.counter('probe_crontab_calls_fenced_total', 'Calls that ended after another claim');
  metrics.gauge('probe_crontab_runs_held', 'Runs claimed and not yet stored', () => held.count());
  const clock = createDatabaseClock();
  const held = createHeldCalls({
    caller,
    beginOnly: store.beginOnly,
    clock,
    onBegin: (run, beginAt) => lateness.observe(Math.max(0, beginAt - run.dueAt) / 1000),
    onFinished(call) {
      holder.storeSoon();
      if (call.kind !== 'called' || call.run.task === undefined) return;
      const { method } = call.run.task.callback;
      calls.inc({ method, outcome: call.outcome.isOk ? 'succeeded' : 'failed' });
      duration.observe((call.endAt - call.beginAt) / 1000);
    },
    logger,
  });

  const room = () => planClaim(held.countByTarget(), concurrency);

  const holder: LeaseHolder = createLeaseHolder({
    noun: 'run',
    work: {
      async claim(limit) {
        const { runs, nextDueMs, nowMs } = await store.claim(limit, room().crowded);
        clock.note(nowMs);
        return { items: runs, nextDueMs };
      },
      renew: store.renew,
      release: store.release,
      async finish(done) {
        fenced.inc(done.length - (await store.finish(done, clock.nowMs())));
      },
    },
    held: {
      ...held,
      countBounds() {
        const { limit, crowded } = room();
        return crowded.length + (limit === 0 ? 1 : 0);
      },
    },
    planClaim: () => room().limit,
    limits,
    logger,
  });
  return holder;
}
