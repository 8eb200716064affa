// The jobs of one lane that a replica holds: each waits for a place, is worked on, and keeps its outcome until that is stored.
import type { HeldWork } from '../../../infra/database/lease-holder.ts';
import type { Claim } from '../../../infra/database/lease-table.ts';
import { describeError } from '../../../infra/error-text.ts';
import type { Logger } from '../../../infra/logger.ts';
import { waitAtMost } from '../../../infra/wait-at-most.ts';
import type { JobOutcome } from '../job-outcome.ts';
import { type ClaimedJob, type FinishedJob, leaseMs } from './job-store.ts';

/** A job is let go of when its lease has less left than this: by the time it is another's, nothing of it goes on here. */
const leaseMarginMs = 5000;
/** What cannot be stored for now is tried again after this time, and after twice the last time from then on. */
const firstPutOffMs = 1000;
const maxPutOffMs = 30_000;
/** Jobs that one statement stores, and octets of their results unless a single one has more. */
const storeBatch = 250;
const storeOctets = 8 * 1024 * 1024;

/** Why a job is cut: somebody wants it stopped, it took too long, the service is being stopped, or the job is another's. */
type CutCause = 'cancelled' | 'timed_out' | 'service' | 'lost';

type HeldJob = {
  claim: Claim;
  job: ClaimedJob;
  cut: AbortController;
  leaseTimer: NodeJS.Timeout;
  heldSince: number;
  /** By `performance.now()`; undefined while it waits for a place. */
  begunAt: number | undefined;
  /** That it has begun is in its row. */
  isNoted: boolean;
  finished: FinishedJob | undefined;
  putOffMs: number;
  storeAt: number;
};

/** Resolves with what came of a job; after the signal with what held it up, if that is known. */
export type JobWork = (job: ClaimedJob, signal: AbortSignal) => Promise<JobOutcome>;

export type HeldJobs = HeldWork<ClaimedJob, FinishedJob> & {
  count(): number;
  waiting(): number;
  /** For how long each of those has been worked on that are, milliseconds. */
  ages(): number[];
  /** Ids of those that have not ended. */
  open(): string[];
  /** Those whose beginning is not in their rows yet; `noted` says that it is. */
  unnoted(): { id: string; forMs: number }[];
  noted(ids: readonly string[]): void;
  /** Somebody wants them stopped. */
  cancel(ids: readonly string[]): void;
  /** Lets go of those that have waited here for so long, and resolves with them: elsewhere there may be a place. */
  takeStale(waitedMs: number): Claim[];
};

/** `places`: jobs that are worked on at once, each for `limitMs` at most. `onFinished` is called when one has its outcome. */
export function createHeldJobs(options: {
  places: number;
  limitMs: number;
  work: JobWork;
  onFinished: (job: FinishedJob) => void;
  logger: Logger;
}): HeldJobs {
  const { places, limitMs, work, onFinished, logger } = options;
  const held = new Map<string, HeldJob>();
  /** In the order in which they were claimed; what is not held any more, or not by this claim, is passed over. */
  let queue: HeldJob[] = [];
  const working = new Map<HeldJob, Promise<void>>();
  let isSettling = false;

  function watchLease(claim: Claim, sentAtMs: number): NodeJS.Timeout {
    return setTimeout(
      () => {
        const mine = find(claim);
        if (mine === undefined) return;
        logger.warn({ job: mine.job.taskId }, 'the lease of a job could not be kept: it is let go of');
        lose(mine);
      },
      sentAtMs + leaseMs - leaseMarginMs - performance.now(),
    );
  }

  /** One that has its outcome is kept: it may be welcome. */
  function lose(mine: HeldJob): void {
    if (mine.finished !== undefined) return;
    mine.cut.abort('lost' satisfies CutCause);
    drop(mine.claim);
  }

  function beginNext(): void {
    while (!isSettling && working.size < places) {
      const next = queue.shift();
      if (next === undefined) return;
      if (held.get(next.claim.id) !== next || next.finished !== undefined) continue;
      const done = perform(next).finally(() => {
        working.delete(next);
        beginNext();
      });
      working.set(next, done);
    }
  }

  async function perform(mine: HeldJob): Promise<void> {
    const begunAt = performance.now();
    mine.begunAt = begunAt;
    const timer = setTimeout(() => mine.cut.abort('timed_out' satisfies CutCause), limitMs);
    const outcome = await workOn(mine);
    clearTimeout(timer);
    if (mine.finished !== undefined || held.get(mine.claim.id) !== mine) return;
    const cause: unknown = mine.cut.signal.reason;
    // It is handed back.
    if (cause === ('service' satisfies CutCause)) return;
    const isLate = cause === ('timed_out' satisfies CutCause) && !outcome.ok;
    finish(mine, isLate ? tooLong(outcome.info) : outcome, performance.now() - begunAt);
  }

  function tooLong(heldUpBy: string): JobOutcome {
    const info = `took longer than ${limitMs / 1000} s`;
    return { ok: false, info: heldUpBy === '' ? info : `${info}; ${heldUpBy}` };
  }

  async function workOn({ job, cut: { signal } }: HeldJob): Promise<JobOutcome> {
    try {
      return await work(job, signal);
    } catch (error) {
      if (!signal.aborted) logger.error({ err: error, job: job.taskId }, 'a job could not be worked on');
      return { ok: false, info: `failed, by a fault of the service: ${describeError(error)}` };
    }
  }

  function finish(mine: HeldJob, outcome: JobOutcome, tookMs: number): void {
    const { taskId, type } = mine.job;
    const told = { job: taskId, type, ms: Math.round(tookMs) };
    if (outcome.ok) logger.debug(told, 'a job succeeded');
    else logger.info({ ...told, reason: outcome.info }, 'a job failed');
    mine.finished = { claim: mine.claim, type, outcome, tookMs };
    onFinished(mine.finished);
  }

  function cancel(mine: HeldJob): void {
    if (mine.finished !== undefined || mine.cut.signal.aborted) return;
    mine.cut.abort('cancelled' satisfies CutCause);
    const tookMs = mine.begunAt === undefined ? 0 : performance.now() - mine.begunAt;
    finish(mine, { ok: false, info: 'cancelled' }, tookMs);
  }

  function find({ id, attempt }: Claim): HeldJob | undefined {
    const mine = held.get(id);
    return mine?.claim.attempt === attempt ? mine : undefined;
  }

  function drop(claim: Claim): void {
    const mine = find(claim);
    if (mine === undefined) return;
    clearTimeout(mine.leaseTimer);
    held.delete(claim.id);
  }

  const isWaiting = ({ begunAt, finished }: HeldJob) => begunAt === undefined && finished === undefined;
  const isOpen = ({ finished }: HeldJob) => finished === undefined;

  return {
    take(job, sentAtMs) {
      const known = held.get(job.claim.id);
      if (known !== undefined) {
        // Its lease ran out here and it was claimed once more: it goes on, or is stored, under the new claim.
        clearTimeout(known.leaseTimer);
        known.claim = job.claim;
        known.leaseTimer = watchLease(job.claim, sentAtMs);
        if (known.finished !== undefined) known.finished = { ...known.finished, claim: job.claim };
        return;
      }
      const mine: HeldJob = {
        claim: job.claim,
        job,
        cut: new AbortController(),
        leaseTimer: watchLease(job.claim, sentAtMs),
        heldSince: performance.now(),
        begunAt: undefined,
        isNoted: false,
        finished: undefined,
        putOffMs: 0,
        storeAt: 0,
      };
      held.set(job.claim.id, mine);
      if (job.isStopWanted) return cancel(mine);
      queue.push(mine);
      beginNext();
    },
    claims: () => [...held.values()].map(({ claim }) => claim),
    count: () => held.size,
    waiting: () => [...held.values()].filter(isWaiting).length,
    ages() {
      const now = performance.now();
      return [...working.keys()].map(({ begunAt = now }) => now - begunAt);
    },
    open: () => [...held.values()].filter(isOpen).map(({ claim }) => claim.id),
    unnoted() {
      const now = performance.now();
      return [...working.keys()].flatMap(({ claim, begunAt, isNoted }) =>
        isNoted || begunAt === undefined ? [] : [{ id: claim.id, forMs: now - begunAt }],
      );
    },
    noted(ids) {
      for (const mine of ids.flatMap((id) => held.get(id) ?? [])) mine.isNoted = true;
    },
    cancel: (ids) => ids.flatMap((id) => held.get(id) ?? []).forEach(cancel),
    takeStale(waitedMs) {
      const since = performance.now() - waitedMs;
      const stale = [...held.values()].filter((mine) => isWaiting(mine) && mine.heldSince <= since);
      for (const { claim } of stale) drop(claim);
      queue = queue.filter(({ claim }) => find(claim) !== undefined);
      return stale.map(({ claim }) => claim);
    },
    /** What is large comes last, and alone: it may take long, or too long. */
    done() {
      const now = performance.now();
      const found: FinishedJob[] = [];
      let large: FinishedJob | undefined;
      let octets = 0;
      for (const { finished, storeAt } of held.values()) {
        if (finished === undefined || storeAt > now) continue;
        const length = finished.outcome.ok ? finished.outcome.result.length : 0;
        if (length > storeOctets) large ??= finished;
        else if (octets + length <= storeOctets) {
          octets += length;
          found.push(finished);
        }
        if (found.length === storeBatch) break;
      }
      return found.length > 0 || large === undefined ? found : [large];
    },
    putOff(claim) {
      const mine = find(claim);
      if (mine === undefined) return;
      mine.putOffMs = Math.min(Math.max(mine.putOffMs * 2, firstPutOffMs), maxPutOffMs);
      mine.storeAt = performance.now() + mine.putOffMs;
    },
    drop: (claims) => claims.forEach(drop),
    renewed({ kept, lost, sentAtMs }) {
      for (const mine of kept.flatMap((claim) => find(claim) ?? [])) {
        clearTimeout(mine.leaseTimer);
        mine.leaseTimer = watchLease(mine.claim, sentAtMs);
      }
      for (const mine of lost.flatMap((claim) => find(claim) ?? [])) lose(mine);
    },
    /** What is nearly done ends; the rest is cut, and handed back: it is done from its beginning elsewhere. */
    async settle(waitMs) {
      isSettling = true;
      await waitAtMost(Promise.all(working.values()), waitMs);
      for (const mine of working.keys()) mine.cut.abort('service' satisfies CutCause);
      await Promise.all(working.values());
    },
  };
}
