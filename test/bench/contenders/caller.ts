// A process that calls subjects of the bus, and what it tells of the replies.
import { z } from 'zod';
import type { BenchContext } from '../harness/bench.ts';

export const callSchema = z.object({
  natsUrl: z.string(),
  subject: z.string(),
  body: z.string(),
  count: z.int(),
  /** Calls that wait for their replies at the same time. */
  inFlight: z.int(),
});

const callsSchema = z.object({
  /** Milliseconds of each call, in the order of their ends. */
  latenciesMs: z.array(z.number()),
  elapsedMs: z.number(),
  /** How many replies there were of each text. */
  replies: z.array(z.object({ count: z.int(), text: z.string() })),
});
export type Calls = z.infer<typeof callsSchema>;

export type Caller = {
  /** Calls `count` times, `inFlight` at once; rejects when a reply is missing. */
  call(options: { subject: string; body?: string; count: number; inFlight?: number }): Promise<Calls>;
};

/** Starts a caller, which ends with the bench. */
export async function startCaller({
  platform,
  startWorker,
}: Pick<BenchContext, 'platform' | 'startWorker'>): Promise<Caller> {
  const natsUrl = await platform.natsUrl();
  const worker = await startWorker('call-subject');
  return {
    call: ({ subject, body = '', count, inFlight = 1 }) =>
      worker.run(
        { natsUrl, subject, body, count, inFlight } satisfies z.input<typeof callSchema>,
        callsSchema,
      ),
  };
}
