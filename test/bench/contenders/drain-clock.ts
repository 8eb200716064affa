// The clock of a queue whose jobs do nothing: from the first of them until all were handled and none is left.
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';
import type { Drained } from './queue-drain.ts';

const limitMs = 60_000;

export type DrainClock = {
  /** Takes the number of a job that the handler was given. */
  handle(job: number): void;
  /** Resolves when `count` jobs were handled and none is left in the database; rejects after a minute for each. */
  waitForEnd(hasJobs: () => Promise<boolean>): Promise<Drained>;
};

/** For `count` jobs; starts with the first that is handled. `bound`: milliseconds for each of its two waits. */
export function createDrainClock(count: number, bound = limitMs): DrainClock {
  const { promise: handled, resolve: onHandled, reject: onLate } = Promise.withResolvers<void>();
  const seen = new Set<number>();
  let calls = 0;
  let startedAt = 0;
  return {
    handle(job) {
      if (calls === 0) startedAt = performance.now();
      seen.add(job);
      calls += 1;
      if (calls === count) onHandled();
    },
    async waitForEnd(hasJobs) {
      const late = () => onLate(new Error(`${calls} of ${count} jobs were handled after ${bound} ms`));
      const timer = setTimeout(late, bound);
      await handled.finally(() => clearTimeout(timer));
      const attempt = async () => ((await hasJobs()) ? null : true);
      const isDone = await waitUntil(attempt, { timeoutMs: bound, intervalMs: 1 });
      if (isDone === null) throw new Error(`jobs are left ${bound} ms after the last of them was handled`);
      return { elapsedMs: performance.now() - startedAt, calls, jobs: seen.size, isDone };
    },
  };
}
