// The server of endpoints on a real nats-server, with handlers that fail in every way.
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { headers, subjects } from '../../../contracts/subjects.ts';
import type { Bus } from '../../../infra/bus/bus.ts';
import { createBus } from '../../../infra/bus/nats-bus.ts';
import {
  createRpcServer,
  defineEndpoint,
  type Reply,
  type RequestContext,
} from '../../../infra/bus/serve.ts';
import type { Component } from '../../../infra/lifecycle.ts';
import { createLogger } from '../../../infra/logger.ts';
import { createMetrics } from '../../../infra/metrics.ts';
import { createStallClock } from '../../../infra/stall-clock.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';

let nats: TestNatsServer;
let bus: Bus & Component;
let server: Component;
let caller: NatsConnection;
/** What the handler of the running test does. */
let handle: (context: RequestContext) => Promise<Reply> = async () => ({ body: [] });

beforeAll(async () => {
  nats = await startNatsServer({ extraConfig: 'max_payload: 65536' });
  const logger = createLogger('test', 'silent');
  bus = createBus({ config: { servers: [nats.url] }, name: 'test', logger });
  await bus.start();
  server = createRpcServer({
    bus,
    queue: 'test',
    service: { name: 'test', version: '1.0.0', description: 'for tests' },
    endpoints: [defineEndpoint('agentGet', 4, (_request, context) => handle(context))],
    stallClock: createStallClock(),
    metrics: createMetrics(),
    logger,
  });
  await server.start();
  caller = await connect({ servers: nats.url });
});

afterAll(async () => {
  await caller.close();
  await server.stop();
  await bus.stop();
  await nats.stop();
});

async function ask(body: string | Uint8Array = '') {
  const reply = await caller.request(subjects.agentGet, body, { timeout: 5000 });
  return { body: reply.json<unknown>(), headers: reply.headers };
}

describe('a handler', () => {
  test.each([
    [
      'throws at once',
      () => {
        throw new Error('secret');
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['rejects with something that is no error', () => Promise.reject(null)],
    ['gives what JSON cannot express', async () => ({ body: 1n })],
  ])('that %s still replies, without a stack or a secret', async (_title, failing: typeof handle) => {
    handle = failing;
    const { body, headers: given } = await ask();
    expect(body).toMatchObject({ error: { code: 'INTERNAL', status: 500, retryable: false } });
    expect(JSON.stringify(body)).not.toMatch(/secret|\.ts/);
    expect(given?.get(headers.errorCode)).toBe('500');
    expect(given?.has('Status')).toBe(false);
  });

  test('that throws a coded error replies with its code, text and details', async () => {
    handle = () => {
      throw new ProbeTaskError('CONFLICT', 'two lines\r\nInjected: yes 中文', { id: 7 });
    };
    const { body, headers: given } = await ask();
    expect(body).toEqual({
      error: {
        code: 'CONFLICT',
        status: 409,
        message: 'two lines\r\nInjected: yes 中文',
        retryable: false,
        details: { id: 7 },
      },
    });
    expect(given?.get(headers.errorText)).toBe('CONFLICT: two lines Injected: yes');
    expect(given?.has('Injected')).toBe(false);
  });

  test('whose reply is larger than a message replies PAYLOAD_TOO_LARGE, counting the headers', async () => {
    handle = async () => ({ body: 'x'.repeat(65_536 - 40), headers: { filler: 'y'.repeat(100) } });
    const { body } = await ask();
    expect(body).toMatchObject({ error: { code: 'PAYLOAD_TOO_LARGE', details: { limit: 65_536 } } });
    handle = async () => ({ body: 'x'.repeat(65_536 - 200), headers: { filler: 'y'.repeat(100) } });
    expect((await ask()).body).toHaveLength(65_336);
  });
});

describe('an error whose details are larger than a message', () => {
  test('arrives with its code all the same', async () => {
    handle = () => {
      throw new ProbeTaskError('CONFLICT', 'm'.repeat(300), { filler: 'x'.repeat(100_000) });
    };
    expect((await ask()).body).toEqual({
      error: { code: 'CONFLICT', status: 409, message: 'm'.repeat(100), retryable: false },
    });
  });
});

describe('a body', () => {
  test.each([
    ['no octets', '', null],
    ['null', 'null', null],
    ['an empty object', '{}', null],
    ['a dash', '-', null],
    ['a dash as JSON', '"-"', null],
    ['no JSON', '{', 'INVALID_JSON'],
    ['no UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'INVALID_JSON'],
    ['a number', '7', 'INVALID_REQUEST'],
    ['a list', '[]', 'INVALID_REQUEST'],
  ])('of %s is understood or refused', async (_title, octets, code) => {
    handle = async () => ({ body: ['taken'] });
    const { body } = await ask(octets);
    if (code === null) expect(body).toEqual(['taken']);
    else expect(body).toMatchObject({ error: { code } });
  });
});

describe('more requests than allowed at once', () => {
  test('are OVERLOADED, and those held get their reply', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<Reply>();
    const { promise: full, resolve: onFull } = Promise.withResolvers<void>();
    let held = 0;
    handle = () => {
      held += 1;
      if (held === 4) onFull();
      return gate;
    };
    const pending = Array.from({ length: 4 }, () => ask());
    await full;
    expect((await ask()).body).toMatchObject({ error: { code: 'OVERLOADED', status: 429, retryable: true } });
    open({ body: ['late'] });
    for (const { body } of await Promise.all(pending)) expect(body).toEqual(['late']);
  });
});
