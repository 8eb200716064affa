// Caps, lanes, deadlines and the end of the engine.
import { describe, expect, test } from 'vitest';
import type { Resolution } from '../../../../services/agent/dns/engine.ts';
import { type ScriptedQuery, textReply } from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor, stallEventLoop } from './engine-setup.ts';

/** A script that answers once `size` queries are held, and keeps count of the most it ever held. */
function answerInGroupsOf(size: number, total: number) {
  const held: ScriptedQuery[] = [];
  const seen = { most: 0 };
  return {
    seen,
    script: (query: ScriptedQuery, number: number) => {
      held.push(query);
      seen.most = Math.max(seen.most, held.length);
      if (held.length < size && number < total) return;
      for (const each of held.splice(0)) each.send(textReply(each));
    },
  };
}

describe('createDnsEngine', () => {
  test.each(['udp', 'tcp'] as const)('keeps to the cap per server over %s', async (transport) => {
    const { script, seen } = answerInGroupsOf(8, 100);
    const server = await serverFor(script);
    const engine = engineFor({ maxInFlightPerServer: 8 });
    const asked = Array.from({ length: 100 }, (_, lane) => ask(engine, server.target(transport), { lane }));
    await server.received(8);
    expect(engine.stats()).toMatchObject({ inFlight: 8, waiting: 92 });
    const resolutions = await Promise.all(asked);
    expect(new Set(resolutions.map(({ status }) => status))).toEqual(new Set(['NOERROR']));
    expect(seen.most).toBe(8);
  });

  test('keeps to the overall cap across servers', async () => {
    const { script, seen } = answerInGroupsOf(10, 60);
    let count = 0;
    const shared = (query: ScriptedQuery) => script(query, ++count);
    const servers = await Promise.all([serverFor(shared), serverFor(shared), serverFor(shared)]);
    const engine = engineFor({ maxInFlight: 10 });
    const asked = Array.from({ length: 20 }, () =>
      servers.map((server) => ask(engine, server.target('udp'))),
    ).flat();
    expect(await Promise.all(asked)).toHaveLength(60);
    expect(seen.most).toBe(10);
  });

  test('does not count the wait for a place as delay', async () => {
    const { script } = answerInGroupsOf(2, 3);
    const server = await serverFor(script);
    const engine = engineFor({ maxInFlight: 1 });
    // The first is answered with the second try of itself, 200 ms after it was sent; the others had to wait that long.
    const first = ask(engine, server.target('udp'), { budgetMs: 500 });
    const second = ask(engine, server.target('udp'), { budgetMs: 5_000 });
    expect((await first).delayMs).toBeGreaterThan(0);
    expect((await second).delayMs).toBeLessThan(190);
  });

  test('answers other lanes and other servers of the same lane while a dead server has 10,000 queued', async () => {
    const dead = await serverFor(() => undefined);
    const alive = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ maxInFlight: 200, maxInFlightPerServer: 20 });
    const deadlineAt = performance.now() + 1_500;
    const lost = Array.from({ length: 10_000 }, () =>
      ask(engine, dead.target('udp'), { lane: 'mixed', deadlineAt }),
    );
    const answered = await Promise.all([
      ...Array.from({ length: 50 }, () => ask(engine, alive.target('udp'), { lane: 'mixed' })),
      ...Array.from({ length: 50 }, () => ask(engine, alive.target('udp'), { lane: 'other' })),
    ]);
    expect(performance.now()).toBeLessThan(deadlineAt);
    expect(answered.every(({ status }) => status === 'NOERROR')).toBe(true);
    const statuses = (await Promise.all(lost)).map(({ status }) => status);
    expect(statuses.filter((status) => status === 'TIMEOUT')).toHaveLength(20);
    expect(statuses.filter((status) => status === 'AGENT_OVERLOADED')).toHaveLength(9_980);
    expect(engine.stats()).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test('asks for whoever comes, also at a dead server, while a lane has all of its share', async () => {
    const dead = await Promise.all(Array.from({ length: 4 }, () => serverFor(() => undefined)));
    const alive = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({
      maxInFlight: 16,
      maxInFlightPerServer: 8,
      laneShares: new Map([['bound', 0.75]]),
    });
    const deadlineAt = performance.now() + 1_000;
    const bound = dead.flatMap((server) =>
      Array.from({ length: 100 }, () => ask(engine, server.target('udp'), { lane: 'bound', deadlineAt })),
    );
    await Promise.all(dead.map((server) => server.received(3)));
    expect(engine.stats()).toMatchObject({ inFlight: 12, waiting: 388, waitingBound: 388 });
    const others = await Promise.all(
      [alive, ...dead].map((server, lane) => ask(engine, server.target('udp'), { lane, budgetMs: 300 })),
    );
    expect(others.map(({ status }) => status)).toEqual(['NOERROR', ...dead.map(() => 'TIMEOUT')]);
    expect(performance.now()).toBeLessThan(deadlineAt);
    await Promise.all(bound);
  });

  test('serves a late lane between the queries of an earlier, longer one', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ maxInFlight: 1 });
    const long = Array.from({ length: 50 }, () => ask(engine, server.target('udp'), { lane: 'long' }));
    const short = ask(engine, server.target('udp'), { lane: 'short', name: 'short.example' });
    await Promise.all([...long, short]);
    expect(server.queries.findIndex(({ name }) => name === 'short.example')).toBeLessThan(3);
  });

  test('ends a query that gets no place in time as AGENT_OVERLOADED, without sending it', async () => {
    const server = await serverFor(() => undefined);
    const engine = engineFor({ maxInFlight: 1 });
    const holder = ask(engine, server.target('udp'), { name: 'holder.example', budgetMs: 300 });
    const waiter = await ask(engine, server.target('udp'), { name: 'waiter.example', budgetMs: 100 });
    expect(waiter).toMatchObject({ status: 'AGENT_OVERLOADED', delayMs: null, tries: 0 });
    await holder;
    expect(server.queries.some(({ name }) => name === 'waiter.example')).toBe(false);
  });

  test('ends a query whose deadline has passed before it was asked', async () => {
    const server = await serverFor(() => undefined);
    const resolution = await ask(engineFor(), server.target('udp'), { budgetMs: -10 });
    expect(resolution).toMatchObject({ status: 'AGENT_OVERLOADED', tries: 0 });
  });

  test('does not send a query that gets its place only shortly before its deadline', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const asked = ask(engineFor(), server.target('udp'), { budgetMs: 120 });
    stallEventLoop(90);
    expect(await asked).toMatchObject({ status: 'AGENT_OVERLOADED', tries: 0 });
  });

  test('takes a reply that arrived in time though the event loop stalled past the deadline', async () => {
    const server = await serverFor((query) => {
      query.send(textReply(query));
      stallEventLoop(200);
    });
    expect(await ask(engineFor(), server.target('udp'), { budgetMs: 100 })).toMatchObject({
      status: 'NOERROR',
    });
  });

  test('ends what is in flight and what waits when it is stopped, and everything asked afterwards', async () => {
    const server = await serverFor(() => undefined);
    const engine = engineFor({ maxInFlight: 4 });
    const asked = [
      ...Array.from({ length: 10 }, () => ask(engine, server.target('udp'))),
      ...Array.from({ length: 10 }, () => ask(engine, server.target('tcp'))),
    ];
    await server.received(4);
    const startedAt = performance.now();
    await engine.stop();
    const resolutions = await Promise.all(asked);
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(new Set(resolutions.map(({ status }) => status))).toEqual(new Set(['NETWORK_ERROR']));
    expect(await ask(engine, server.target('udp'))).toMatchObject({ status: 'NETWORK_ERROR', tries: 0 });
    expect(engine.stats()).toMatchObject({ inFlight: 0, waiting: 0, udpSockets: 0, tcpConnections: 0 });
    await engine.stop();
  });

  test('ends at once what is asked by whoever hears of the end of another query at its stop', async () => {
    const server = await serverFor(() => undefined);
    const engine = engineFor();
    const query = { server: server.target('udp'), name: Uint8Array.of(1, 97, 0), rtype: 16 };
    const options = { deadlineAt: performance.now() + 60_000, lane: 'test' };
    const { promise, resolve } = Promise.withResolvers<Resolution>();
    engine.resolve(query, options, () => engine.resolve(query, options, resolve));
    await server.received(1);
    await engine.stop();
    expect(await promise).toMatchObject({ status: 'NETWORK_ERROR', tries: 0 });
  });

  test('can be stopped before it was used', async () => {
    await engineFor().stop();
  });
});
