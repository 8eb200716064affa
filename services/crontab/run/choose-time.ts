// Which time of a task is due now, which ones were missed, and when the next one is. Pure; all times are milliseconds
// since the epoch.
import type { FireTimes } from '../schedule/parse-schedule.ts';

export type DueSchedule = {
  times: FireTimes;
  /** When the schedule was stored: no time before it counts. */
  anchorAt: number;
  /** The next time. */
  nextAt: number;
  /** The newest time that was planned. */
  lastAt: number | null;
  /** A time is called this much later at most. */
  windowMs: number;
};

/** Times that nobody was there to plan, or that are too late to be called. */
export type MissedTimes = {
  firstAt: number;
  lastAt: number;
  /** Of many, those that were counted. */
  count: number;
};

export type TimeChoice = {
  /** The time to call, undefined when there is none. */
  scheduledAt: number | undefined;
  missed: MissedTimes | undefined;
  /** Infinity when there is none any more. */
  nextAt: number;
};

/** To find one takes a twentieth of a millisecond: to count the seconds of a year would take half an hour. */
export const maxCounted = 1000;

/**
 * The newest time that is due stands for those before it that nobody planned, and is called when it is not too late for
 * that. A time that is still ahead of `nowMs` is planned when it is the next one. What was missed is counted up to
 * `countLimit`.
 */
export function chooseTime(schedule: DueSchedule, nowMs: number, countLimit = maxCounted): TimeChoice {
  const { times, lastAt, windowMs } = schedule;
  const first = firstOpenTime(schedule);
  if (first > nowMs) {
    return first === schedule.nextAt
      ? { scheduledAt: first, missed: undefined, nextAt: followerOf(times, first) }
      : { scheduledAt: undefined, missed: undefined, nextAt: first };
  }
  const newest = times.isOnce ? first : Math.max(first, times.newestUntil(nowMs));
  const isTooLate = nowMs - newest > windowMs;
  const lastMissed = isTooLate ? newest : lastBefore(newest, first, times);
  return {
    scheduledAt: isTooLate ? undefined : newest,
    missed:
      lastMissed === undefined
        ? undefined
        : { firstAt: first, lastAt: lastMissed, count: countTimes(times, first, lastMissed, countLimit) },
    nextAt: followerOf(times, Math.max(newest, lastAt ?? newest)),
  };
}

/** `nextAt`, or where that is none of the times (the task was put off): the first after what was planned. */
function firstOpenTime({ times, anchorAt, nextAt, lastAt }: DueSchedule): number {
  // The clock of the database was set back: no time is planned twice.
  if (lastAt !== null && nextAt <= lastAt) return followerOf(times, lastAt);
  if (times.after(nextAt - 1) === nextAt) return nextAt;
  // The only one may lie before the moment at which it was stored, a little.
  return times.after(lastAt ?? (times.isOnce ? 0 : anchorAt));
}

function followerOf(times: FireTimes, atMs: number): number {
  return times.isOnce ? Infinity : times.after(atMs);
}

function lastBefore(newest: number, first: number, times: FireTimes): number | undefined {
  return newest === first ? undefined : times.newestUntil(newest - 1);
}

function countTimes(times: FireTimes, first: number, last: number, countLimit: number): number {
  let count = 1;
  for (let at = first; at < last && count < countLimit; at = times.after(at)) count += 1;
  return count;
}
