// How long this process may have been standing still: a message read after that may be just as old.
import type { Component } from './lifecycle.ts';

/** Below this a late tick says nothing. */
const toleranceMs = 250;
const tickMs = 50;

export type StallClock = Component & {
  /** Milliseconds that a message handled right now may have waited unread; 0 in ordinary operation. */
  stalledMs(): number;
};

/** Measures from `start` on, by a timer that fires twenty times a second. */
export function createStallClock(now: () => number = () => performance.now()): StallClock {
  let tickedAt = now();
  /** What the latest tick was late: after a stall the timer fires before what waited in the sockets is read. */
  let recentStallMs = 0;
  let timer: NodeJS.Timeout | undefined;

  function silenceMs(): number {
    const silence = now() - tickedAt;
    return silence > toleranceMs ? silence : 0;
  }

  return {
    stalledMs: () => Math.max(recentStallMs, silenceMs()),
    async start() {
      tickedAt = now();
      timer = setInterval(() => {
        recentStallMs = silenceMs();
        tickedAt = now();
      }, tickMs);
    },
    async stop() {
      clearInterval(timer);
    },
  };
}
