// Answers one subject with so many octets over a bare NATS connection: what NATS itself takes for it.
import { connect } from 'nats';
import { z } from 'zod';
import { serveWork } from '../harness/serve-work.ts';

const respondSchema = z.object({ natsUrl: z.string(), subject: z.string(), octets: z.int() });

serveWork(respondSchema, async ({ natsUrl, subject, octets }) => {
  const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
  const body = Buffer.alloc(octets, 'x');
  connection.subscribe(subject, { callback: (_error, message) => message.respond(body) });
  await connection.flush();
  return {};
});
