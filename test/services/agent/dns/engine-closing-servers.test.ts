// Servers that close each TCP connection after one reply: nothing is lost and nothing is blamed on them.
import { describe, expect, onTestFinished, test } from 'vitest';
import { encodeQuery } from '../../../../services/agent/dns/encode-query.ts';
import type { DnsEngine } from '../../../../services/agent/dns/engine.ts';
import type { Exchange, ExchangeListener } from '../../../../services/agent/dns/query-exchange.ts';
import { createRandomIds } from '../../../../services/agent/dns/query-ids.ts';
import { createServerMemory } from '../../../../services/agent/dns/server-memory.ts';
import { openTcpConnection } from '../../../../services/agent/dns/tcp-connection.ts';
import {
  frame,
  replyTo,
  type Script,
  type ScriptedQuery,
  textReply,
} from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor, txt } from './engine-setup.ts';

const closeWithFin = (query: ScriptedQuery) => query.connection().end();
const closeWithReset = (query: ScriptedQuery) => query.connection().resetAndDestroy();

/** Answers the first query of each connection, then closes it; a UDP query is sent to TCP. */
function answerOnce(close: (query: ScriptedQuery) => void): Script {
  const answered = new Set<object>();
  return (query) => {
    if (query.transport === 'udp') {
      query.send(replyTo(query, { truncated: true }));
      return;
    }
    const connection = query.connection();
    if (answered.has(connection)) return;
    answered.add(connection);
    connection.write(frame(textReply(query, 'whole')), () => close(query));
  };
}

/** Asks 300 questions, 40 at a time, and counts what came of them. */
async function askMany(
  engine: DnsEngine,
  server: Parameters<typeof ask>[1],
): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  let left = 300;
  async function askOn(): Promise<void> {
    while (left-- > 0) {
      const { status, answer } = await ask(engine, server, { name: `n${left}.example` });
      const key = `${status} ${answer.map(({ result }) => result).join()}`;
      counts[key] = (counts[key] ?? 0) + 1;
    }
  }
  await Promise.all(Array.from({ length: 40 }, askOn));
  return counts;
}

describe.each([
  ['a FIN', closeWithFin],
  ['a reset', closeWithReset],
])('a server that follows each reply with %s', (_, close) => {
  test.each(['tcp', 'udp'] as const)('loses no answer of 300 asked over %s', async (transport) => {
    const server = await serverFor(answerOnce(close));
    const engine = engineFor();
    expect(await askMany(engine, server.target(transport))).toEqual({ 'NOERROR "whole"': 300 });
    // Known after the first loss: one query per connection from then on, so next to none is sent in vain.
    const sentOverTcp = server.queries.filter((query) => query.transport === 'tcp').length;
    expect(sentOverTcp).toBeLessThan(300 + 60);
  });
});

test('a query on the connections of others is excused as often as they are answered', async () => {
  // Three replies per connection: not few enough to be remembered, so every connection loses some queries.
  const counts = new Map<object, number>();
  const server = await serverFor((query) => {
    const connection = query.connection();
    const count = (counts.get(connection) ?? 0) + 1;
    counts.set(connection, count);
    if (count > 3) return;
    connection.write(frame(textReply(query, 'whole')), () => count === 3 && connection.end());
  });
  expect(await askMany(engineFor(), server.target('tcp'))).toEqual({ 'NOERROR "whole"': 300 });
  expect(server.connections.length).toBeLessThan(200);
});

test('a server that cuts connections with more than one query on them is asked one by one', async () => {
  const counts = new Map<object, number>();
  const server = await serverFor((query) => {
    const connection = query.connection();
    const count = (counts.get(connection) ?? 0) + 1;
    counts.set(connection, count);
    if (count > 1) connection.resetAndDestroy();
    // Not before the queries beside it were read.
    else setImmediate(() => setImmediate(() => connection.writable && query.send(textReply(query, 'whole'))));
  });
  expect(await askMany(engineFor(), server.target('tcp'))).toEqual({ 'NOERROR "whole"': 300 });
});

test('a query that brings down the connection harms no other', async () => {
  const server = await serverFor((query) => {
    if (query.name === 'poison.example') query.connection().resetAndDestroy();
    else if (query.connection().writable) query.send(textReply(query));
  });
  const engine = engineFor();
  const names = ['poison.example', ...Array.from({ length: 7 }, (_, index) => `n${index}.example`)];
  const asked = names.map((name) => ask(engine, server.target('tcp'), { name }));
  const statuses = (await Promise.all(asked)).map(({ status }) => status);
  expect(statuses).toEqual(['NETWORK_ERROR', ...Array(7).fill('NOERROR')]);
});

test('a server that closes without any reply is no more than NETWORK_ERROR after two tries', async () => {
  const server = await serverFor(closeWithFin);
  const resolution = await ask(engineFor(), server.target('tcp'));
  expect(resolution).toMatchObject({ status: 'NETWORK_ERROR', tries: 2 });
  expect(server.queries).toHaveLength(2);
});

/** Opens a connection, has a query answered, and leaves a second one to a close so much later. */
async function loseSecondQuery(laterMs: number) {
  const server = await serverFor((query, number) =>
    number === 1 ? query.send(textReply(query)) : query.connection().end(),
  );
  const clock = { time: 1_000 };
  const closers = createServerMemory(() => clock.time);
  const channel = openTcpConnection(
    server.target('tcp'),
    {
      onRetired: () => undefined,
      onDrained: () => undefined,
      onClosed: () => undefined,
      makeRoom: () => false,
    },
    {
      closers,
      serverKey: 'server',
      randomId: createRandomIds(),
      counters: { sent: 0, received: 0, mismatched: 0, late: 0, duplicate: 0, malformed: 0 },
      now: () => clock.time,
    },
  );
  onTestFinished(() => channel.close());
  const exchange = (listener: Partial<ExchangeListener>): Exchange => ({
    listener: {
      onSent: () => undefined,
      onReply: () => undefined,
      onFault: () => undefined,
      ...listener,
    },
    channel,
    transport: 'tcp',
    message: encodeQuery({ id: 0, name: Uint8Array.of(1, 97, 0), rtype: txt, edns: true }),
    hasEdns: true,
    sentAt: 0,
    malformedReplies: 0,
    lagMs: 0,
    isOpen: false,
  });
  await new Promise<void>((resolve) =>
    channel.send(
      exchange({
        onReply(answered) {
          channel.end(answered, 'answered');
          resolve();
        },
      }),
    ),
  );
  clock.time += laterMs;
  const isExcused = await new Promise<boolean>((resolve) =>
    channel.send(exchange({ onFault: (_exchange, _fault, excused) => resolve(excused) })),
  );
  return { isExcused, isRemembered: closers.has('server') };
}

test('a server that closes soon after a reply is remembered, one that closes an idle connection is not', async () => {
  expect(await loseSecondQuery(999)).toEqual({ isExcused: true, isRemembered: true });
  expect(await loseSecondQuery(1_000)).toEqual({ isExcused: true, isRemembered: false });
});
