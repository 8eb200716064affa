// A replica's part in the calls: claim → wait → call → store, with leases that are kept meanwhile.
import { createLeaseHolder, type LeaseHolder } from '../../../infra/database/lease-holder.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Metrics } from '../../../infra/metrics.ts';
import type { Caller } from '../callback/caller.ts';
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
const maxClaimed = 500;
/** Nothing more is claimed of a target of which that share is held: others find room though it does not answer. */
const targetShare = 0.5;
/** All that is claimed at once may be of one target. */
const claimShare = 0.25;

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
  const maxOfTarget = Math.max(1, Math.floor(concurrency * targetShare));
  const maxAtOnce = Math.min(Math.max(1, Math.floor(concurrency * claimShare)), maxClaimed);
  const clock = createDatabaseClock();
  const held = createHeldCalls({
    caller,
    beginOnly: store.beginOnly,
    clock,
    onBegin: (run, beginAt) => lateness.observe(Math.max(0, beginAt - run.dueAt) / 1000),
    onFinished(call) {
      holder.storeSoon();
      if (!call.isCalled || call.run.task === undefined) return;
      const { method } = call.run.task.callback;
      calls.inc({ method, outcome: call.outcome.isOk ? 'succeeded' : 'failed' });
      duration.observe((call.endAt - call.beginAt) / 1000);
    },
    logger,
  });

  const holder: LeaseHolder = createLeaseHolder({
    noun: 'run',
    work: {
      async claim(limit) {
        const { runs, nextDueMs, nowMs } = await store.claim(limit, held.targetsHolding(maxOfTarget));
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
      countBounds: () => held.targetsHolding(maxOfTarget).length + (held.count() >= concurrency ? 1 : 0),
    },
    planClaim: () => Math.min(concurrency - held.count(), maxAtOnce),
    limits,
    logger,
  });
  return holder;
}
