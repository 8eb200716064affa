// A process that asks the names of the bench's zone, and what it tells of the answers.
import { z } from 'zod';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { type BenchContext, verify } from '../harness/bench.ts';
import { zone, zoneAddress } from '../harness/platform.ts';

/** So many names below the zone are asked, one after the other and again from the first. */
export const nameCount = 2000;

/** The names without a trailing dot. */
export function benchNames(): string[] {
  return Array.from({ length: nameCount }, (_, index) => `www${index}.${zone}`);
}

export const askSchema = z.object({
  server: z.object({
    transport: z.literal('udp'),
    address: z.string(),
    family: z.literal([4, 6]),
    port: z.int(),
  }),
  names: z.array(z.string()).min(1),
  /** Of the one A record that every name has. */
  address: z.string(),
  load: z.discriminatedUnion('kind', [
    /** As many as the server answers, with so many at once. */
    z.object({ kind: z.literal('full'), inFlight: z.int() }),
    /** So many a second, whatever has been answered. */
    z.object({ kind: z.literal('paced'), perSecond: z.int() }),
  ]),
  seconds: z.number(),
});
export type Load = z.infer<typeof askSchema>['load'];

const answersSchema = z.object({
  asked: z.int(),
  /** With the one right record. */
  answered: z.int(),
  /** How many of the others there were of each kind. */
  failures: z.record(z.string(), z.int()),
  /** Queries that went out, tries again included; null where that cannot be told. */
  sent: z.int().nullable(),
  elapsedMs: z.number(),
  cpuMs: z.number(),
  /** Of a paced run: from its start to the last name that was asked. */
  askingMs: z.number().nullable(),
  /** Of a paced run: as the engine measured it, of all answers. */
  delaysMs: z.array(z.number()),
  /** Of a paced run: how late the event loop was, 99th percentile and worst. */
  lagMs: z.object({ p99: z.number(), worst: z.number() }).nullable(),
});
export type Answers = z.infer<typeof answersSchema>;

/** Beyond it a run is not paced any more. */
const paceLagMs = 100;

/** Throws unless it asked all of its names at its pace; what became of them is another matter. */
export function verifyPace(
  { asked, askingMs }: Pick<Answers, 'asked' | 'askingMs'>,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): void {
  const total = perSecond * seconds;
  verify(asked === total, `${asked} names of ${total} were asked in ${seconds} s`);
  const isPaced = askingMs !== null && askingMs <= seconds * 1000 + paceLagMs;
  verify(isPaced, `${total} names of ${seconds} s were asked in ${askingMs} ms`);
}

export type NameAsker = { ask(load: Load, seconds: number): Promise<Answers> };

/** Starts `test/bench/workers/<worker>.ts`, which ends with the bench. */
export async function startNameAsker(
  { startWorker }: Pick<BenchContext, 'startWorker'>,
  worker: 'ask-engine' | 'ask-resolver',
  server: DnsServer,
): Promise<NameAsker> {
  const { run } = await startWorker(worker);
  const { address, port, family, transport } = server;
  if (transport !== 'udp') throw new Error(`the bench asks over UDP, not ${transport}`);
  const asked = { server: { transport, address, family, port }, names: benchNames(), address: zoneAddress };
  return {
    ask: (load, seconds) =>
      run({ ...asked, load, seconds } satisfies z.input<typeof askSchema>, answersSchema),
  };
}
