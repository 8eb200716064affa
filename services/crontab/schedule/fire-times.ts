// The times at which a task fires, whatever kind of schedule they come from.
import { slotAfter, slotUntil } from '../../../infra/schedule/slot-grid.ts';

/** All times are milliseconds since the epoch, of whole seconds. */
export type FireTimes = {
  /** There is one time at most. */
  isOnce: boolean;
  /** The first time after `atMs`; Infinity when there is none. */
  after(atMs: number): number;
  /** The last time that is not after `atMs`; -Infinity when there is none. */
  newestUntil(atMs: number): number;
};

/** One time; none at all when it is Infinity. */
export function timeOnce(fireMs: number): FireTimes {
  return {
    isOnce: true,
    after: (atMs) => (atMs < fireMs ? fireMs : Infinity),
    newestUntil: (atMs) => (atMs >= fireMs ? fireMs : -Infinity),
  };
}

/** A time every interval, the first of them one interval after the second of the anchor. */
export function timesEvery(intervalMs: number, anchorMs: number): FireTimes {
  const phaseMs = Math.floor(anchorMs / 1000) * 1000;
  const firstMs = phaseMs + intervalMs;
  return {
    isOnce: false,
    after: (atMs) => slotAfter(phaseMs, intervalMs, Math.max(atMs, firstMs - 1)),
    newestUntil: (atMs) => (atMs < firstMs ? -Infinity : slotUntil(phaseMs, intervalMs, atMs)),
  };
}

/** A first time, and from then on those of a schedule. */
export function timesFrom(firstMs: number, times: FireTimes): FireTimes {
  return {
    isOnce: false,
    after: (atMs) => (atMs < firstMs ? firstMs : times.after(atMs)),
    newestUntil: (atMs) => (atMs < firstMs ? -Infinity : Math.max(firstMs, times.newestUntil(atMs))),
  };
}
