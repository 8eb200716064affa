// The turns of one query: what ends it, what restarts it, and what it falls back on.
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { replyTo, type ScriptedQuery, textReply } from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor } from './engine-setup.ts';

const cut = (query: ScriptedQuery) =>
  replyTo(query, {
    truncated: true,
    answers: [{ type: 'TXT', name: query.name, ttl: 60, data: ['kept'] }],
  });

describe('a query', () => {
  test('goes to TCP once when the cut reply comes twice', async () => {
    const server = await serverFor((query) => {
      if (query.transport === 'tcp') return;
      query.send(cut(query));
      query.send(cut(query));
    });
    const engine = engineFor();
    const resolution = await ask(engine, server.target('udp'), { budgetMs: 200 });
    // Two tries over TCP stay silent; a second start would send more.
    expect(resolution).toMatchObject({ status: 'NOERROR', transport: 'udp', tries: 3 });
    expect(server.queries.map(({ transport }) => transport)).toEqual(['udp', 'tcp', 'tcp']);
    expect(engine.stats().duplicate).toBe(1);
  });

  test.each(['udp', 'tcp'] as const)(
    'is asked without EDNS once when the refusal of it comes twice over %s',
    async (transport) => {
      const server = await serverFor((query) => {
        const refusal = replyTo(query, { rcode: 1 });
        query.send(query.hasEdns ? refusal : textReply(query));
        if (query.hasEdns) query.send(refusal);
      });
      const engine = engineFor();
      expect(await ask(engine, server.target(transport))).toMatchObject({ status: 'NOERROR', tries: 2 });
      expect(await ask(engine, server.target(transport))).toMatchObject({ status: 'NOERROR', tries: 1 });
      expect(server.queries).toHaveLength(3);
      expect(engine.stats()).toMatchObject({ sent: 3, duplicate: 1 });
    },
  );

  test.each([
    [7, 'NOERROR', 1],
    [8, 'MALFORMED', 2],
  ])('reads past %i unreadable replies and ends as %s', async (count, status, tries) => {
    const server = await serverFor((query) => {
      for (let sent = 0; sent < count; sent++) query.send(textReply(query).subarray(0, -1));
      query.send(textReply(query));
    });
    const engine = engineFor();
    expect(await ask(engine, server.target('udp'), { budgetMs: 200 })).toMatchObject({ status, tries });
    expect(engine.stats().malformed).toBe(count * tries);
  });

  test('makes its second try from another port, also where there are only two', async () => {
    const server = await serverFor((query, number) => number % 2 === 0 && query.send(textReply(query)));
    const engine = engineFor({ socketsPerServer: 2 });
    for (let count = 0; count < 12; count++) await ask(engine, server.target('udp'), { budgetMs: 50 });
    const ports = server.queries.map(({ clientPort }) => clientPort);
    expect(ports).toHaveLength(24);
    for (let first = 0; first < 24; first += 2) expect(ports[first]).not.toBe(ports[first + 1]);
  });

  test('ends when its second try is refused though the first is still open', async () => {
    const server = await serverFor(() => undefined);
    const asked = ask(engineFor(), server.target('udp'), { budgetMs: 1_500 });
    await server.received(1);
    await server.stop();
    const startedAt = performance.now();
    expect(await asked).toMatchObject({ status: 'CONN_REFUSED', tries: 2 });
    expect(performance.now() - startedAt).toBeLessThan(1_200);
  });

  test('falls back on the cut reply rather than on a refusal of EDNS over TCP', async () => {
    const server = await serverFor((query) => {
      if (query.transport === 'udp') query.send(cut(query));
      else if (query.hasEdns) query.send(replyTo(query, { rcode: 1 }));
    });
    expect(await ask(engineFor(), server.target('udp'), { budgetMs: 150 })).toMatchObject({
      status: 'NOERROR',
      transport: 'udp',
      truncated: true,
      answer: [{ result: '"kept"' }],
    });
  });

  test('ends early when its first try fails after the second', async () => {
    const server = await serverFor((query, number) => {
      if (number === 1) return;
      const [first] = server.connections;
      query.connection().resetAndDestroy();
      // The connection of the first try fails once that of the second is known to have failed.
      setImmediate(() => setImmediate(() => first?.resetAndDestroy()));
    });
    const startedAt = performance.now();
    const resolution = await ask(engineFor(), server.target('tcp'), { budgetMs: 1_500 });
    expect(resolution).toMatchObject({ status: 'NETWORK_ERROR', delayMs: null, tries: 2 });
    expect(performance.now() - startedAt).toBeLessThan(1_200);
  });

  test('waits for its first try when the second fails', async () => {
    const server = await serverFor((query, number) => {
      if (number === 1) return;
      const [first] = server.queries;
      const connection = query.connection();
      void once(connection, 'close').then(() => first?.send(textReply(first)));
      connection.resetAndDestroy();
    });
    expect(await ask(engineFor(), server.target('tcp'), { budgetMs: 300 })).toMatchObject({
      status: 'NOERROR',
      tries: 2,
    });
  });

  test('has all of its asking time when it gets its place shortly before the deadline, and none after that', async () => {
    // Of the query that is late, the second try is answered: with its deadline as the end there is none after that.
    const isAnswered = (names: string[]) => names.filter((name) => name === 'late.example').length === 2;
    const server = await serverFor((query) => {
      if (isAnswered(server.queries.map(({ name }) => name))) query.send(textReply(query));
    });
    const engine = engineFor({ maxInFlight: 1 });
    const startedAt = performance.now();
    const holder = ask(engine, server.target('udp'), { name: 'holder.example', budgetMs: 300 });
    const deadlineAt = startedAt + 400;
    const options = { askingMs: 1_000 };
    const [late, tooLate] = await Promise.all([
      ask(engine, server.target('udp'), { name: 'late.example', deadlineAt, ...options }),
      ask(engine, server.target('udp'), {
        name: 'too-late.example',
        deadlineAt: startedAt + 200,
        ...options,
      }),
    ]);
    expect(late).toMatchObject({ status: 'NOERROR', tries: 2 });
    expect(performance.now()).toBeGreaterThan(deadlineAt);
    expect(tooLate).toMatchObject({ status: 'AGENT_OVERLOADED', tries: 0 });
    await holder;
  });
});
