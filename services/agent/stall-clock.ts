// How long this process may have been standing still: a message read after that may be just as old.
import type { Component } from '../../infra/lifecycle.ts';

/** Below this a late tick says nothing. */
const toleranceMs = 250;
const tickMs = 50;

export type StallClock = Component & {
  /** Milliseconds that a message handled right now may have waited unread; 0 in ordinary operation. */
  stalledMs(): number;
};

export function createStallClock(now: () => number = () => performance.now()): StallClock {
  let tickedAt = now();
  let timer: NodeJS.Timeout | undefined;
  return {
    async start() {
      tickedAt = now();
      timer = setInterval(() => {
        tickedAt = now();
      }, tickMs);
    },
    async stop() {
      clearInterval(timer);
    },
    stalledMs() {
      const silence = now() - tickedAt;
      return silence > toleranceMs ? silence : 0;
    },
  };
}
