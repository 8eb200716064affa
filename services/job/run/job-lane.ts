// A replica's part in one lane: claim → work → store, with leases that are kept and stops that are watched for meanwhile.
import { createLeaseHolder } from '../../../infra/database/lease-holder.ts';
import type { JobLane } from '../../../infra/database/tables.ts';
import { type Component, sequence } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import { createRepetition } from '../../../infra/repeat.ts';
import { planClaim } from './claim-room.ts';
import { createHeldJobs, type JobWork } from './held-jobs.ts';
import { type FinishedJob, type JobStore, leaseMs } from './job-store.ts';

const holderLimits = {
  pollMs: 500,
  claimPaceMs: 5,
  renewMs: leaseMs / 4,
  gatherMs: 5,
  storeRetryMs: 1000,
  // A process has fifteen seconds for its stop. What takes longer than this is done anew elsewhere.
  settleLimitMs: 1000,
  stopLimitMs: 6000,
} as const;
const watchMs = 500;
/** Held here for so long without a place, a job is for others. */
const staleMs = 500;
/** Ended and not stored: with more than that nothing is claimed. */
const maxUnstored = 1000;
/** What a job is taken to need before anything is known of them, and the share that the newest one has in the average. */
const firstAverageMs = 20;
const newestShare = 0.1;

export type JobLaneWork = Component & {
  /** There are new jobs. */
  wake(): void;
  /** A job is to be stopped, by its id as a row; one that is not here is nothing to it. */
  cancel(id: string): void;
  held(): number;
};

/** Works on jobs of a lane, as many at once as there are `places`, while `isAble`. */
export function createJobLane(options: {
  lane: JobLane;
  store: JobStore;
  work: JobWork;
  places: number;
  /** For one job. */
  limitMs: number;
  isAble: () => boolean;
  onFinished: (job: FinishedJob) => void;
  /** Jobs that ended here and were another's by then. */
  onFenced: (count: number) => void;
  logger: Logger;
}): JobLaneWork {
  const { lane, store, work, places, limitMs, isAble, onFinished, onFenced, logger } = options;
  let averageMs = firstAverageMs;
  let isDrained = true;

  const held = createHeldJobs({
    places,
    limitMs,
    work,
    onFinished(job) {
      averageMs += (job.tookMs - averageMs) * newestShare;
      onFinished(job);
      holder.storeSoon();
      // Half of what may be claimed is worth a statement.
      if (!isDrained && held.waiting() * 2 <= room()) holder.wake();
    },
    logger,
  });

  function room(): number {
    const waiting = held.waiting();
    const agesMs = held.ages();
    if (held.count() - waiting - agesMs.length > maxUnstored) return 0;
    return planClaim(places, { agesMs, waiting, averageMs });
  }

  const holder = createLeaseHolder({
    noun: 'job',
    work: {
      async claim(limit) {
        if (!isAble()) return { items: [], nextDueMs: undefined };
        const items = await store.claim(lane, limit);
        isDrained = items.length < limit;
        return { items, nextDueMs: undefined };
      },
      renew: store.renew,
      release: store.release,
      async finish(done) {
        onFenced(done.length - (await store.finish(done)));
      },
    },
    held: { ...held, countBounds: () => (room() === 0 ? 1 : 0) },
    planClaim: room,
    limits: holderLimits,
    logger,
  });

  const watching = createRepetition({
    name: 'watching jobs',
    intervalMs: watchMs,
    logger,
    async work() {
      const begun = held.unnoted();
      const stopWanted = await store.watch(held.open(), begun);
      held.noted(begun.map(({ id }) => id));
      held.cancel(stopWanted);
      const stale = held.takeStale(staleMs);
      if (stale.length > 0) await store.release(stale);
      return { hasMore: false };
    },
  });

  return {
    ...sequence([watching, holder]),
    wake: holder.wake,
    cancel: (id) => held.cancel([id]),
    held: held.count,
  };
}
