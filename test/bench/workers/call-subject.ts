// Calls one subject over a bare NATS connection, and times the replies.
import { createHash } from 'node:crypto';
import { connect, type Msg, type NatsConnection } from 'nats';
import { type Calls, callSchema } from '../contenders/caller.ts';
import { serveWork } from '../harness/serve-work.ts';

const timeoutMs = 20_000;

let connecting: Promise<NatsConnection> | undefined;

serveWork(callSchema, async ({ natsUrl, subject, body, count, inFlight }) => {
  connecting ??= connect({ servers: natsUrl, noAsyncTraces: true });
  const connection = await connecting;
  const request = Buffer.from(body);
  const latenciesMs: number[] = [];
  const received: Msg[] = [];
  let left = count;

  async function callOnAndOn(): Promise<void> {
    while (left > 0) {
      left -= 1;
      const startedAt = performance.now();
      const reply = await connection.request(subject, request, { timeout: timeoutMs });
      latenciesMs.push(performance.now() - startedAt);
      received.push(reply);
    }
  }

  const startedAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, callOnAndOn));
  const elapsedMs = performance.now() - startedAt;
  return { latenciesMs, elapsedMs, replies: countReplies(received) };
});

/** Looked at when the clock has stopped. */
function countReplies(received: Msg[]): Calls['replies'] {
  const byDigest = new Map<string, { count: number; text: string }>();
  for (const { data } of received) {
    const digest = createHash('sha256').update(data).digest('base64');
    const known = byDigest.get(digest);
    if (known === undefined) byDigest.set(digest, { count: 1, text: Buffer.from(data).toString() });
    else known.count += 1;
  }
  return [...byDigest.values()];
}
