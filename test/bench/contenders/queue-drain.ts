// What other queues are told, and what they tell of the jobs they did.
import { z } from 'zod';
import { type BenchContext, verify } from '../harness/bench.ts';

export const drainSchema = z.object({ databaseUrl: z.string(), jobs: z.int() });
export const bareDrainSchema = z.object({ ...drainSchema.shape, connections: z.int() });

const drainedSchema = z.object({
  /** From the first job to the moment when the last one is done in the database. */
  elapsedMs: z.number(),
  /** How often a job was done, */
  calls: z.int(),
  /** and how many different ones. */
  jobs: z.int(),
  /** Nothing is left to do. */
  isDone: z.boolean(),
});
export type Drained = z.infer<typeof drainedSchema>;

/** For jobs to be written and done; the longest drain takes some seconds. */
const limitMs = 120_000;

/** Resolves with jobs per second; throws unless each job was done once, within two minutes. */
export type QueueDrain = (options: { jobs: number; connections?: number }) => Promise<number>;

/** Starts `workers/<name>.ts` on a database of its own. */
export async function startQueueDrain(
  name: string,
  { platform, startWorker, keep }: BenchContext,
): Promise<QueueDrain> {
  const { url: databaseUrl } = keep(await platform.createDatabase({ isMigrated: false }));
  const worker = await startWorker(name);
  return async ({ jobs, connections }) => {
    const drained = await withinLimit(name, worker.run({ databaseUrl, jobs, connections }, drainedSchema));
    verify(
      drained.isDone && drained.calls === jobs && drained.jobs === jobs,
      `${name}: of ${jobs} jobs ${drained.jobs} were done, in ${drained.calls} calls`,
    );
    return (jobs / drained.elapsedMs) * 1000;
  };
}

/** A queue that hangs fails the bench. */
async function withinLimit<Result>(name: string, work: Promise<Result>): Promise<Result> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${name} was not done after ${limitMs} ms`)), limitMs);
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
