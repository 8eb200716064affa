// Callbacks to services on a real bus.
import { connect, headers, type Msg, type NatsConnection } from 'nats';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { Bus } from '../../../../infra/bus/bus.ts';
import { createBus } from '../../../../infra/bus/nats-bus.ts';
import type { Component } from '../../../../infra/lifecycle.ts';
import { createLogger } from '../../../../infra/logger.ts';
import type { Callback } from '../../../../services/crontab/callback/caller.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { startNatsServer } from '../../../helpers/nats.ts';
import { callbackTo, createTestCaller } from './callback-setup.ts';

let bus: Bus & Component;
let peer: NatsConnection;

beforeAll(async () => {
  bus = await startBus(inject('natsUrl'));
  peer = await connect({ servers: inject('natsUrl') });
});

afterAll(async () => {
  await peer.close();
  await bus.stop();
});

async function startBus(url: string): Promise<Bus & Component> {
  const started = createBus({
    config: { servers: [url] },
    name: 'test',
    logger: createLogger('test', 'silent'),
  });
  await started.start();
  return started;
}

function call(subject: string, fields: Partial<Callback> = {}) {
  return createTestCaller({ bus }).call(callbackTo(subject, { method: 'nats', ...fields }));
}

/** A service on a subject of its own. */
async function serve(answer: (message: Msg) => void): Promise<string> {
  const subject = `crontab-test.${crypto.randomUUID()}`;
  peer.subscribe(subject, { callback: (_error, message) => answer(message) });
  await peer.flush();
  return subject;
}

test('a service gets the body as it is and the id of the occurrence, and its reply is the response', async () => {
  const heard: Msg[] = [];
  const subject = await serve((message) => {
    heard.push(message);
    message.respond('{"done":"完"}');
  });
  const body = '{ "a": 9007199254740993 }';
  expect(await call(subject, { body })).toEqual({
    isOk: true,
    resp: '{"done":"完"}',
    respCode: null,
    err: '',
  });
  expect(heard.map((message) => message.string())).toEqual([body]);
  expect(heard[0]?.headers?.get('webhook-id')).toBe('occurrence-1');
  expect(heard[0]?.headers?.get('Nats-Msg-Id')).toBe('occurrence-1');
});

test.each([
  ['"do.e"', ''],
  ['"failed"', 'NO_MATCH: the reply does not match resp_regexp'],
])('the reply is held against resp_regexp %j', async (respRegexp, err) => {
  const subject = await serve((message) => message.respond('{"state":"done"}'));
  expect(await call(subject, { respRegexp })).toMatchObject({ isOk: err === '', err });
});

test('a reply with the headers of a service error is a SERVICE_ERROR', async () => {
  const subject = await serve((message) => {
    const fault = headers();
    fault.set('Nats-Service-Error', 'no such thing');
    fault.set('Nats-Service-Error-Code', '404');
    message.respond('{"error":{}}', { headers: fault });
  });
  expect(await call(subject)).toEqual({
    isOk: false,
    resp: '{"error":{}}',
    respCode: null,
    err: 'SERVICE_ERROR: 404 no such thing',
  });
});

test('a subject on which nobody listens has NO_RESPONDERS', async () => {
  expect((await call('crontab-test.nobody')).err).toBe(
    'NO_RESPONDERS: nobody listens on crontab-test.nobody',
  );
});

test('a service that never replies is a TIMEOUT at the deadline', async () => {
  const subject = await serve(() => undefined);
  expect((await call(subject, { timeoutMs: 100 })).err).toBe('TIMEOUT: no reply (after 100 ms)');
});

test('a reply over 64 KiB is cut and says so', async () => {
  const subject = await serve((message) => message.respond('x'.repeat(70_000)));
  expect(await call(subject, { respRegexp: '^x+$' })).toEqual({
    isOk: true,
    resp: `${'x'.repeat(65_536)}\n…(cut after 64 KiB)`,
    respCode: null,
    err: '',
  });
});

test('a bus that is away is a NETWORK_ERROR at once', async () => {
  const server = keepUntilTestEnd(await startNatsServer());
  const ownBus = keepUntilTestEnd(await startBus(server.url));
  await server.kill();
  await expect.poll(() => ownBus.isConnected()).toBe(false);
  const outcome = await createTestCaller({ bus: ownBus }).call(
    callbackTo('crontab-test.away', { method: 'nats' }),
  );
  expect(outcome.err).toBe('NETWORK_ERROR: the bus is away');
});
