// Where callbacks go: a process that replies at once, and tells which ones came when.
import { z } from 'zod';
import type { BenchContext } from '../harness/bench.ts';

export const sinkInputSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('listen') }),
  z.object({ kind: z.literal('take') }),
]);

/** The body of every callback. */
export const callbackBody = JSON.stringify({ order: 'A-1024', action: 'reprice' });
/** What every callback is answered with, as text. */
export const callbackReply = 'ok';

const listeningSchema = z.object({ port: z.int() });
const takenSchema = z.object({
  /** In the order of their arrival. */
  arrivals: z.array(
    z.object({
      /** `webhook-id`. */
      id: z.string(),
      /** Its last octet, in milliseconds since the epoch. */
      atMs: z.number(),
    }),
  ),
  /** Requests that were no such callback. */
  strange: z.int(),
  cpuMs: z.number(),
});
export type Arrival = z.infer<typeof takenSchema>['arrivals'][number];

export type CallbackSink = {
  readonly url: string;
  /** What came since the last time, and the CPU time that all of it took. */
  take(): Promise<z.infer<typeof takenSchema>>;
};

/** Starts one on loopback, which ends with the bench. */
export async function startCallbackSink({
  startWorker,
}: Pick<BenchContext, 'startWorker'>): Promise<CallbackSink> {
  const { run } = await startWorker('take-callbacks');
  const ask = (input: z.input<typeof sinkInputSchema>) => input;
  const { port } = await run(ask({ kind: 'listen' }), listeningSchema);
  return {
    url: `http://127.0.0.1:${port}/hooks/reprice`,
    take: () => run(ask({ kind: 'take' }), takenSchema),
  };
}
