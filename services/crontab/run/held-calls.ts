// The runs that a replica holds: each waits for its time, is called once, and keeps what came of it until that is stored.
import { crontabRunTypes } from '../../../contracts/crontab.ts';
import type { HeldWork } from '../../../infra/database/lease-holder.ts';
import type { Claim } from '../../../infra/database/lease-table.ts';
import type { Logger } from '../../../infra/logger.ts';
import { waitAtMost } from '../../../infra/wait-at-most.ts';
import type { Caller } from '../callback/caller.ts';
import { maxConnectionsPerTarget } from '../callback/http-call.ts';
import { expiredReason } from './clear-runs.ts';
import type { DatabaseClock } from './database-clock.ts';
import { type ClaimedRun, type FinishedCall, leaseMs, type RunStore } from './run-store.ts';
import { createTargetPlaces } from './target-places.ts';

/** Calls that one statement stores. */
const storeBatch = 500;
/** Characters of requests and replies that it stores, unless a single call has more. */
const storeLength = 4 * 1024 * 1024;
/** No call begins when its lease has less left than this: by then it may be another's. */
const leaseMarginMs = 1000;
/** What cannot be stored for now is tried again after this time, and after twice the last time from then on. */
const firstPutOffMs = 1000;
const maxPutOffMs = 30_000;

type HeldCall = {
  claim: Claim;
  run: ClaimedRun;
  /** By `performance.now()`. */
  leaseEndsAt: number;
  timer: NodeJS.Timeout | undefined;
  hasBegun: boolean;
  /** It must not be called once more, by nobody, whatever becomes of it. */
  isSpent: boolean;
  finished: FinishedCall | undefined;
  putOffMs: number;
  storeAt: number;
};

export type HeldCalls = HeldWork<ClaimedRun, FinishedCall> & {
  count(): number;
  countByTarget(): ReadonlyMap<string, number>;
};

/** `onBegin` is called when a call begins, `onFinished` when it has ended. */
export function createHeldCalls(options: {
  caller: Pick<Caller, 'call'>;
  beginOnly: RunStore['beginOnly'];
  clock: DatabaseClock;
  onBegin: (run: ClaimedRun, beginAt: number) => void;
  onFinished: (call: FinishedCall) => void;
  logger: Logger;
}): HeldCalls {
  const { caller, beginOnly, clock, onBegin, onFinished, logger } = options;
  const held = new Map<string, HeldCall>();
  const calling = new Set<Promise<void>>();
  const countByTarget = new Map<string, number>();
  const places = createTargetPlaces(maxConnectionsPerTarget);
  const stopping = new AbortController();
  let isSettling = false;
  let isSettled = false;

  function wait(call: HeldCall): void {
    // Up: a time in part of a millisecond must not be called before it has come.
    const waitMs = Math.ceil(call.run.dueAt - clock.nowMs());
    if (waitMs <= 0) begin(call);
    else call.timer = setTimeout(() => wait(call), waitMs);
  }

  function begin(call: HeldCall): void {
    const { target } = call.run;
    places.enter(target, () => {
      // Handed back, or another's by now.
      if (isSettling || held.get(call.claim.id) !== call) return false;
      call.hasBegun = true;
      const work = make(call)
        .catch((error: unknown) => {
          logger.error({ err: error, run: call.claim.id }, 'a call could not be made');
          drop(call.claim);
        })
        .finally(() => {
          calling.delete(work);
          places.leave(target);
        });
      calling.add(work);
      return true;
    });
  }

  async function make(call: HeldCall): Promise<void> {
    const { run, claim } = call;
    // It was stopped, or away from its database, for so long that another one may be calling by now.
    if (performance.now() > call.leaseEndsAt - leaseMarginMs) return drop(claim);
    const { task } = run;
    if (task === undefined)
      return finish(call, passOver(run, 'cancelled', 'CANCELLED: the task was deleted'));
    // Whoever asks for a rerun means it.
    if (!task.isEnabled && run.runType !== crontabRunTypes.rerun) {
      return finish(call, passOver(run, 'cancelled', 'CANCELLED: the task was disabled'));
    }
    // It waited here for a place.
    if (clock.nowMs() > run.expiresAt) return finish(call, passOver(run, 'expired', expiredReason));
    if (task.isAtMostOnce) {
      call.isSpent = true;
      if (!(await beginOnly(claim))) return drop(claim);
    }
    const beginAt = clock.nowMs();
    onBegin(run, beginAt);
    const outcome = await caller.call(task.callback, stopping.signal);
    const endAt = Math.max(clock.nowMs(), beginAt);
    const delayMs = outcome.isOk ? undefined : task.retryDelaysMs[run.try];
    const retryAt = delayMs === undefined ? undefined : endAt + delayMs;
    finish(call, { run, kind: 'called', outcome, beginAt, endAt, retryAt });
  }

  /** What waited when its task was changed was cancelled then; this one was under way, and failed. */
  function passOver(
    run: ClaimedRun,
    kind: 'cancelled' | 'expired',
    err: string,
  ): Omit<FinishedCall, 'claim'> {
    const outcome = { isOk: false, resp: '', respCode: null, err };
    const atMs = clock.nowMs();
    return { run, kind, outcome, beginAt: atMs, endAt: atMs, retryAt: undefined };
  }

  function finish(call: HeldCall, finished: Omit<FinishedCall, 'claim'>): void {
    call.finished = { claim: call.claim, ...finished };
    onFinished(call.finished);
  }

  function drop({ id, attempt }: Claim): void {
    const call = held.get(id);
    if (call?.claim.attempt !== attempt) return;
    clearTimeout(call.timer);
    held.delete(id);
    const left = (countByTarget.get(call.run.target) ?? 0) - 1;
    if (left > 0) countByTarget.set(call.run.target, left);
    else countByTarget.delete(call.run.target);
  }

  return {
    take(run, sentAtMs) {
      const leaseEndsAt = sentAtMs + leaseMs;
      const known = held.get(run.claim.id);
      // What came of the try before is stored, by whomever, though this process has not heard of it yet.
      if (known !== undefined && known.run.try !== run.try) drop(known.claim);
      else if (known !== undefined) {
        known.claim = run.claim;
        known.leaseEndsAt = leaseEndsAt;
        if (known.finished !== undefined) known.finished = { ...known.finished, claim: run.claim };
        return;
      }
      const call: HeldCall = {
        claim: run.claim,
        run,
        leaseEndsAt,
        timer: undefined,
        hasBegun: false,
        isSpent: false,
        finished: undefined,
        putOffMs: 0,
        storeAt: 0,
      };
      held.set(run.claim.id, call);
      countByTarget.set(run.target, (countByTarget.get(run.target) ?? 0) + 1);
      wait(call);
    },
    claims: () => [...held.values()].flatMap(({ claim, isSpent }) => (isSettled && isSpent ? [] : [claim])),
    count: () => held.size,
    countByTarget: () => countByTarget,
    done() {
      const found: FinishedCall[] = [];
      let length = 0;
      const now = performance.now();
      for (const { finished, storeAt } of held.values()) {
        if (finished === undefined || storeAt > now) continue;
        length += finished.outcome.resp.length + (finished.run.task?.callback.body.length ?? 0);
        if (found.length === storeBatch || (length > storeLength && found.length > 0)) break;
        found.push(finished);
      }
      return found;
    },
    putOff({ id, attempt }) {
      const call = held.get(id);
      if (call?.claim.attempt !== attempt) return;
      call.putOffMs = Math.min(Math.max(call.putOffMs * 2, firstPutOffMs), maxPutOffMs);
      call.storeAt = performance.now() + call.putOffMs;
      held.delete(id);
      held.set(id, call);
    },
    drop: (claims) => claims.forEach(drop),
    renewed({ kept, lost, sentAtMs }) {
      for (const { id, attempt } of kept) {
        const call = held.get(id);
        if (call?.claim.attempt === attempt) call.leaseEndsAt = sentAtMs + leaseMs;
      }
      // What has begun goes on: its outcome may still be welcome.
      for (const { id, attempt } of lost) {
        const call = held.get(id);
        if (call?.claim.attempt === attempt && !call.hasBegun) drop(call.claim);
      }
    },
    /**
     * What has not begun is handed back; a call that takes too long is cut off, and has failed. What is not to be called
     * once more is nobody's to hand back.
     */
    async settle(limitMs) {
      isSettling = true;
      for (const call of held.values()) clearTimeout(call.timer);
      await waitAtMost(Promise.all(calling), limitMs);
      stopping.abort();
      await Promise.all(calling);
      isSettled = true;
    },
  };
}
