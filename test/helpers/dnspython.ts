// dnspython in a process of its own, asked line by line.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { providePython } from './python.ts';

const printedRecordSchema = z.strictObject({
  name: z.string(),
  ttl: z.number(),
  rdclass: z.string(),
  rdtype: z.string(),
  result: z.string(),
});

const printedReplySchema = z.strictObject({
  kind: z.literal('reply'),
  rcode: z.number(),
  status: z.string(),
  answer: z.array(printedRecordSchema),
  authority: z.array(printedRecordSchema),
  additional: z.array(printedRecordSchema),
});

const parsedMessageSchema = z.discriminatedUnion('kind', [
  printedReplySchema,
  z.strictObject({ kind: z.literal('malformed'), reason: z.string() }),
]);

const codeNamesSchema = z.strictObject({
  rdtypes: z.array(z.string()),
  rdclasses: z.array(z.string()),
  rcodes: z.array(z.string()),
});

export type PrintedReply = z.infer<typeof printedReplySchema>;
export type ParsedMessage = z.infer<typeof parsedMessageSchema>;
export type AskedQuestion = { name: string; rtype: number; address: string; port: number };

export type Dnspython = {
  /** What `dns.message.from_wire` makes of the octets, records one by one in their order. */
  parse(packet: Buffer): Promise<ParsedMessage>;
  /** Asks the server itself, over UDP and after truncation over TCP. */
  ask(question: AskedQuestion): Promise<PrintedReply>;
  /** The text of every type, class and rcode by number. */
  names(): Promise<z.infer<typeof codeNamesSchema>>;
  stop(): Promise<void>;
};

/** Starts the process; requests may overlap, it answers them in turn. */
export async function startDnspython(): Promise<Dnspython> {
  const python = await providePython();
  const script = fileURLToPath(new URL('dnspython.py', import.meta.url));
  const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  const failAll = (error: Error) => {
    for (const { reject } of waiting.splice(0)) reject(error);
  };
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(line));
  child.on('close', () => failAll(new Error('dnspython ended before it answered')));
  child.stdin.on('error', failAll);

  const request = async (body: object): Promise<unknown> => {
    if (child.exitCode !== null) throw new Error(`dnspython has ended with code ${child.exitCode}`);
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    waiting.push({ resolve, reject });
    child.stdin.write(`${JSON.stringify(body)}\n`);
    return JSON.parse(await promise);
  };
  return {
    parse: async (packet) =>
      parsedMessageSchema.parse(await request({ do: 'parse', wire: packet.toString('hex') })),
    ask: async (question) => printedReplySchema.parse(await request({ do: 'ask', ...question })),
    names: async () => codeNamesSchema.parse(await request({ do: 'names' })),
    async stop() {
      child.stdin.end();
      await closed;
    },
  };
}
