// Keeps long readings of the history from taking every connection that the gateway has to the database.
import { ProbeTaskError } from '../../contracts/errors.ts';

export type HistoryPlaces = {
  /** Does the work when a place is free, the longest waiting first; throws `OVERLOADED` when none is in time. */
  take<Result>(work: () => Promise<Result>): Promise<Result>;
};

/** So many readings at once; another waits up to `maxWaitMs`. */
export function createHistoryPlaces(count: number, maxWaitMs: number): HistoryPlaces {
  const waiting = new Set<() => void>();
  let free = count;

  function waitForPlace(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(enter);
        reject(new ProbeTaskError('OVERLOADED', `${count} readings of the history are under way already`));
      }, maxWaitMs);
      function enter(): void {
        clearTimeout(timer);
        resolve();
      }
      waiting.add(enter);
    });
  }

  return {
    async take(work) {
      if (free > 0) free -= 1;
      else await waitForPlace();
      try {
        return await work();
      } finally {
        // The place goes from hand to hand.
        const [next] = waiting;
        if (next === undefined) free += 1;
        else {
          waiting.delete(next);
          next();
        }
      }
    },
  };
}
