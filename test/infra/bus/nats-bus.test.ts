// The bus on a real nats-server: what is published arrives, in its order, also around everything else that is sent.
import { connect, type Msg, type NatsConnection } from 'nats';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Bus } from '../../../infra/bus/bus.ts';
import { createBus } from '../../../infra/bus/nats-bus.ts';
import type { Component } from '../../../infra/lifecycle.ts';
import { createLogger } from '../../../infra/logger.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';

let nats: TestNatsServer;
let peer: NatsConnection;
let bus: Bus & Component;

beforeAll(async () => {
  nats = await startNatsServer();
  peer = await connect({ servers: nats.url });
});

afterAll(async () => {
  await peer.close();
  await nats.stop();
});

beforeEach(async () => {
  bus = createBus({
    config: { servers: [nats.url] },
    name: 'test',
    logger: createLogger('test', 'silent'),
  });
  await bus.start();
});

afterEach(() => bus.stop());

/** Texts of messages below the subject, as the peer hears them. */
async function listen(subject: string): Promise<string[]> {
  const heard: string[] = [];
  peer.subscribe(subject, { callback: (_error, message: Msg) => heard.push(message.string()) });
  await peer.flush();
  return heard;
}

test('messages of one turn arrive in the order in which they were published', async () => {
  const heard = await listen('order.*');
  for (const text of ['1', '2']) bus.publish(`order.${text}`, { body: Buffer.from(text) });
  await Promise.resolve();
  bus.publish('order.3', { body: Buffer.from('3') });
  await bus.flush();
  await peer.flush();
  expect(heard).toEqual(['1', '2', '3']);
});

test('a request leaves after what was published before it', async () => {
  const heard: string[] = [];
  peer.subscribe('asked.*', {
    callback: (_error, message) => {
      heard.push(message.subject);
      message.respond(Buffer.from(heard.join(' ')));
    },
  });
  await peer.flush();
  bus.publish('asked.first');
  const answer = await bus.request('asked.second', { timeoutMs: 5000 });
  expect(Buffer.from(answer.body).toString()).toBe('asked.first asked.second');
});

test('what was published before a subscription does not come back through it', async () => {
  const heard = await listen('echo.*');
  const echoed: string[] = [];
  bus.publish('echo.before', { body: Buffer.from('before') });
  const subscription = bus.subscribe('echo.*', ({ subject }) => void echoed.push(subject));
  bus.publish('echo.after', { body: Buffer.from('after') });
  await bus.flush();
  await subscription.drain();
  await peer.flush();
  expect(heard).toEqual(['before', 'after']);
  expect(echoed).toEqual(['echo.after']);
});

test('a stop sends what was published right before it and right after, and refuses what comes later', async () => {
  const heard = await listen('last.*');
  bus.publish('last.before', { body: Buffer.from('before') });
  const stopped = bus.stop();
  bus.publish('last.after', { body: Buffer.from('after') });
  await stopped;
  await peer.flush();
  expect(heard).toEqual(['before', 'after']);
  expect(() => bus.publish('last.words')).toThrow('CONNECTION_CLOSED');
});

test('a message that the server would not take is refused to whoever publishes it', () => {
  const body = new Uint8Array(bus.maxPayload() + 1);
  expect(() => bus.publish('too.large', { body })).toThrow(
    expect.objectContaining({ code: 'PAYLOAD_TOO_LARGE' }),
  );
});
