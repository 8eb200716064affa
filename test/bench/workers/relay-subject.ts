// Asks the next process for every request, and answers with so many octets: the middle of a bare chain.
import { connect, type Msg, type NatsConnection } from 'nats';
import { z } from 'zod';
import { serveWork } from '../harness/serve-work.ts';

const relaySchema = z.object({
  natsUrl: z.string(),
  subject: z.string(),
  next: z.string(),
  /** Of what is asked of the next process. */
  orderOctets: z.int(),
  replyOctets: z.int(),
});

serveWork(relaySchema, async ({ natsUrl, subject, next, orderOctets, replyOctets }) => {
  const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
  const order = Buffer.alloc(orderOctets, 'x');
  const reply = Buffer.alloc(replyOctets, 'x');
  connection.subscribe(subject, {
    callback: (_error, message) => void relay(connection, message, { next, order, reply }),
  });
  await connection.flush();
  return {};
});

/** A rejection ends the process, and the bench with it. */
async function relay(
  connection: NatsConnection,
  message: Msg,
  { next, order, reply }: { next: string; order: Buffer; reply: Buffer },
): Promise<void> {
  await connection.request(next, order, { timeout: 10_000 });
  message.respond(reply);
}
