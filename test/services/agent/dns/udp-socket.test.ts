// What only happens over UDP: foreign sources, truncation, ports, late replies, buffers.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { ChannelHooks } from '../../../../services/agent/dns/query-channels.ts';
import type { Channel, Exchange, ExchangeFault } from '../../../../services/agent/dns/query-exchange.ts';
import { createRandomIds } from '../../../../services/agent/dns/query-ids.ts';
import { openUdpSocket } from '../../../../services/agent/dns/udp-socket.ts';
import { replyTo, type ScriptedQuery, textReply } from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor } from './engine-setup.ts';

const cutText = (query: ScriptedQuery) =>
  replyTo(query, {
    truncated: true,
    answers: [
      { type: 'TXT', name: query.name, ttl: 60, data: ['kept'] },
      { type: 'TXT', name: query.name, ttl: 60, data: ['lost'] },
    ],
  }).subarray(0, -4);

describe('a query over UDP', () => {
  test('does not hear a reply that comes from another address', async () => {
    const server = await serverFor((query) => query.sendFrom('127.0.0.2', textReply(query)));
    const engine = engineFor();
    expect(await ask(engine, server.target('udp'), { budgetMs: 150 })).toMatchObject({ status: 'TIMEOUT' });
    expect(engine.stats()).toMatchObject({ mismatched: 0, malformed: 0 });
  });

  test('does not end by 64 KB of junk', async () => {
    const server = await serverFor((query) => {
      query.send(Buffer.alloc(0));
      query.send(Buffer.alloc(1));
      query.send(Buffer.alloc(65_507, 0xff));
      query.send(Buffer.concat([query.octets.subarray(0, 2), Buffer.alloc(65_000, 0xc0)]));
      query.send(textReply(query));
    });
    const engine = engineFor();
    expect(await ask(engine, server.target('udp'))).toMatchObject({ status: 'NOERROR', tries: 1 });
    expect(engine.stats().mismatched).toBe(4);
  });

  test('is asked again over TCP at once when the reply is truncated', async () => {
    const server = await serverFor((query) =>
      query.send(query.transport === 'udp' ? cutText(query) : textReply(query, 'whole')),
    );
    const resolution = await ask(engineFor(), server.target('udp'));
    expect(resolution).toMatchObject({
      status: 'NOERROR',
      transport: 'tcp',
      truncated: true,
      tries: 2,
      answer: [{ result: '"whole"' }],
    });
    expect(resolution.delayMs).toBeLessThan(500);
  });

  test('falls back on the cut records when TCP is refused', async () => {
    const server = await serverFor((query) => query.send(cutText(query)), { tcp: false });
    const resolution = await ask(engineFor(), server.target('udp'));
    expect(resolution).toMatchObject({
      status: 'NOERROR',
      transport: 'udp',
      truncated: true,
      tries: 1,
      answer: [{ result: '"kept"' }],
    });
    expect(resolution.delayMs).toBeGreaterThan(0);
  });

  test('falls back on the cut records at the deadline when TCP stays silent', async () => {
    const server = await serverFor((query) => query.transport === 'udp' && query.send(cutText(query)));
    const resolution = await ask(engineFor(), server.target('udp'), { budgetMs: 150 });
    expect(resolution).toMatchObject({ status: 'NOERROR', transport: 'udp', answer: [{ result: '"kept"' }] });
  });

  test('sends a second try from another port when the first is refused there', async () => {
    const server = await serverFor(() => undefined);
    const target = server.target('udp');
    await server.stop();
    const engine = engineFor();
    expect(await ask(engine, target)).toMatchObject({ status: 'CONN_REFUSED', tries: 2 });
    expect(engine.stats().udpSockets).toBe(2);
  });

  test('ends 500 queries to a closed port fast', async () => {
    const server = await serverFor(() => undefined);
    const target = server.target('udp');
    await server.stop();
    const engine = engineFor();
    const startedAt = performance.now();
    const resolutions = await Promise.all(Array.from({ length: 500 }, () => ask(engine, target)));
    expect(new Set(resolutions.map(({ status }) => status))).toEqual(new Set(['CONN_REFUSED']));
    expect(performance.now() - startedAt).toBeLessThan(1_500);
  });

  test('ends as NETWORK_ERROR at once when there is no way to the address', async () => {
    // Connecting to the broadcast address is not permitted without asking for it.
    const target = { transport: 'udp', address: '255.255.255.255', family: 4, port: 53 } as const;
    const resolution = await ask(engineFor(), target);
    expect(resolution).toMatchObject({ status: 'NETWORK_ERROR', delayMs: null, tries: 0 });
  });

  test('comes from many ports under ever new ids', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ socketsPerServer: 16 });
    for (let batch = 0; batch < 10; batch++) {
      await Promise.all(Array.from({ length: 40 }, () => ask(engine, server.target('udp'))));
    }
    const ports = new Set(server.queries.map(({ clientPort }) => clientPort));
    expect(ports.size).toBe(16);
    const idsOfPorts = server.queries.map(({ clientPort, packet }) => `${clientPort} ${packet.id}`);
    expect(new Set(idsOfPorts).size).toBe(400);
    expect(new Set(server.queries.map(({ packet }) => packet.id)).size).toBeGreaterThan(380);
  });

  test('moves to a new port after 1,024 queries from one', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ socketsPerServer: 1 });
    await Promise.all(Array.from({ length: 2_100 }, () => ask(engine, server.target('udp'))));
    expect(new Set(server.queries.map(({ clientPort }) => clientPort)).size).toBe(3);
    expect(engine.stats().udpSockets).toBe(1);
  });

  test('counts a reply that comes after its query was given up, and takes it for no other query', async () => {
    const late: ScriptedQuery[] = [];
    const server = await serverFor((query) => {
      if (query.name === 'late.example') late.push(query);
      else for (const each of [...late, query]) each.send(textReply(each));
    });
    const engine = engineFor({ socketsPerServer: 1 });
    expect(await ask(engine, server.target('udp'), { name: 'late.example', budgetMs: 60 })).toMatchObject({
      status: 'TIMEOUT',
    });
    const resolution = await ask(engine, server.target('udp'), { name: 'next.example' });
    expect(resolution.answer).toMatchObject([{ result: '"next.example"' }]);
    expect(engine.stats()).toMatchObject({ late: 2, mismatched: 0 });
  });

  test('has its socket closed once nothing was asked for a while', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ idleMs: 40 });
    await ask(engine, server.target('udp'));
    expect(engine.stats().udpSockets).toBe(1);
    await vi.waitFor(() => expect(engine.stats().udpSockets).toBe(0), { timeout: 2_000, interval: 10 });
    expect(await ask(engine, server.target('udp'))).toMatchObject({ status: 'NOERROR' });
  });
});

/** A socket to a server that stays silent, at a time the test sets. */
async function openSocket() {
  const server = await serverFor(() => undefined);
  const told: string[] = [];
  const hooks: ChannelHooks = {
    onRetired: () => told.push('retired'),
    onDrained: () => told.push('drained'),
    onClosed: () => told.push('closed'),
    makeRoom: () => false,
  };
  const clock = { time: 1_000 };
  const channel = openUdpSocket(server.target('udp'), hooks, {
    receiveBuffer: { obtainedBytes: null, apply: () => undefined },
    randomId: createRandomIds(),
    counters: { sent: 0, received: 0, mismatched: 0, late: 0, duplicate: 0, malformed: 0 },
    now: () => clock.time,
  });
  onTestFinished(() => channel.close());
  return { channel, told, clock };
}

function exchangeOver(channel: Channel, octets: number, onFault: (fault: ExchangeFault) => void): Exchange {
  return {
    listener: { onSent: () => undefined, onReply: () => undefined, onFault: (_, fault) => onFault(fault) },
    channel,
    transport: 'udp',
    message: Buffer.alloc(octets),
    hasEdns: false,
    sentAt: 0,
    malformedReplies: 0,
    lagMs: 0,
    isOpen: false,
  };
}

describe('openUdpSocket', () => {
  test('gives a socket that is spent after a minute', async () => {
    const { channel, clock } = await openSocket();
    expect(channel.isSpent(clock.time + 59_999)).toBe(false);
    expect(channel.isSpent(clock.time + 60_000)).toBe(true);
  });

  test('retires a socket that fails, and fails what it had in flight', async () => {
    const { channel, told } = await openSocket();
    const fault = await new Promise<ExchangeFault>((resolve) =>
      channel.send(exchangeOver(channel, 70_000, resolve)),
    );
    expect(fault).toBe('NETWORK_ERROR');
    expect(told).toEqual(['retired', 'drained']);
    expect(channel.inFlight).toBe(0);
  });

  test('gives a socket that is drained when it is retired and its last query has ended', async () => {
    const { channel, told } = await openSocket();
    const exchange = exchangeOver(channel, 12, () => undefined);
    channel.send(exchange);
    channel.retire();
    expect(told).toEqual(['retired']);
    channel.end(exchange, 'given-up');
    expect(told).toEqual(['retired', 'drained']);
  });
});

describe('the receive buffer', () => {
  test('is reported as the system granted it', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ receiveBufferBytes: 65_536 });
    expect(engine.stats().receiveBufferBytes).toBeNull();
    await ask(engine, server.target('udp'));
    expect(engine.stats().receiveBufferBytes).toBe(65_536);
    expect(engine.warnings).toEqual([]);
  });

  test('is warned about once when the system grants less than asked', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ receiveBufferBytes: 1024 ** 3 });
    await Promise.all(Array.from({ length: 40 }, () => ask(engine, server.target('udp'))));
    const { receiveBufferBytes } = engine.stats();
    expect(receiveBufferBytes).toBeLessThan(1024 ** 3);
    expect(engine.warnings).toMatchObject([
      { fields: { askedBytes: 1024 ** 3, obtainedBytes: receiveBufferBytes } },
    ]);
  });
});
