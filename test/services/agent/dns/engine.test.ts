// The engine against scripted servers: the same exchanges over UDP and TCP, IPv4 and IPv6.
import { describe, expect, test } from 'vitest';
import { replyTo, type ScriptedQuery, textReply, withId } from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor } from './engine-setup.ts';

const ways = [
  { transport: 'udp', address: '127.0.0.1' },
  { transport: 'udp', address: '::1' },
  { transport: 'tcp', address: '127.0.0.1' },
  { transport: 'tcp', address: '::1' },
] as const;

/** An answer whose name points at itself. */
function loopedReply(query: ScriptedQuery): Buffer {
  const whole = replyTo(query, { answers: [{ type: 'A', name: query.name, ttl: 1, data: '192.0.2.1' }] });
  const nameAt = query.octets.length - (query.hasEdns ? 11 : 0);
  whole.writeUInt16BE(0xc000 + nameAt, nameAt);
  return whole;
}

describe.each(ways)('an engine that asks over $transport at $address', ({ transport, address }) => {
  const options = { address };

  test('resolves with status, records and delay of the reply', async () => {
    const server = await serverFor((query) => query.send(textReply(query)), options);
    const engine = engineFor();
    const resolution = await ask(engine, server.target(transport), { name: 'One.example' });
    expect(resolution).toMatchObject({
      status: 'NOERROR',
      transport,
      truncated: false,
      tries: 1,
      authority: [],
    });
    expect(resolution.answer).toEqual([
      { name: 'One.example.', ttl: 60, rdclass: 'IN', rdtype: 'TXT', result: '"One.example"' },
    ]);
    expect(resolution.delayMs).toBeGreaterThan(0);
    expect(resolution.delayMs).toBeLessThan(1_000);
    expect(server.queries[0]).toMatchObject({ hasEdns: true, transport });
  });

  test.each([
    [2, 'SERVFAIL'],
    [3, 'NXDOMAIN'],
    [5, 'REFUSED'],
  ])('takes rcode %i as the result, without a second try', async (rcode, status) => {
    const server = await serverFor((query) => query.send(replyTo(query, { rcode })), options);
    const resolution = await ask(engineFor(), server.target(transport));
    expect(resolution).toMatchObject({ status, tries: 1 });
    expect(server.queries).toHaveLength(1);
  });

  test('gives up on a server that never answers at the deadline, after two tries with different ids', async () => {
    const server = await serverFor(() => undefined, options);
    const startedAt = performance.now();
    const resolution = await ask(engineFor(), server.target(transport), { budgetMs: 200 });
    const elapsedMs = performance.now() - startedAt;
    expect(resolution).toMatchObject({ status: 'TIMEOUT', delayMs: null, tries: 2, answer: [] });
    expect(elapsedMs).toBeGreaterThanOrEqual(200);
    expect(elapsedMs).toBeLessThan(400);
    const [first, second] = server.queries;
    expect(first?.packet.id).not.toBe(second?.packet.id);
    expect(first?.clientPort).not.toBe(second?.clientPort);
  });

  test('measures the delay of the second try when the first was lost', async () => {
    const server = await serverFor((query, number) => number > 1 && query.send(textReply(query)), options);
    const resolution = await ask(engineFor(), server.target(transport), { budgetMs: 500 });
    expect(resolution).toMatchObject({ status: 'NOERROR', tries: 2 });
    expect(resolution.delayMs).toBeLessThan(190);
  });

  test('still takes the reply to the first try while the second waits', async () => {
    const server = await serverFor((_, number) => {
      const [first] = server.queries;
      if (number === 2) first?.send(textReply(first));
    }, options);
    const resolution = await ask(engineFor(), server.target(transport), { budgetMs: 500 });
    expect(resolution).toMatchObject({ status: 'NOERROR', tries: 2 });
    expect(resolution.delayMs).toBeGreaterThanOrEqual(150);
  });

  test('ignores wrong ids and wrong questions and takes the right reply after them', async () => {
    const server = await serverFor((query) => {
      const right = textReply(query);
      const id = query.packet.id ?? 0;
      query.send(withId(right, id + 1));
      query.send(withId(right, id ^ 0x8000));
      query.send(
        replyTo({ ...query, packet: { ...query.packet, questions: [{ type: 'TXT', name: 'b.example' }] } }),
      );
      query.send(
        replyTo({ ...query, packet: { ...query.packet, questions: [{ type: 'A', name: 'a.example' }] } }),
      );
      query.send(query.octets);
      query.send(right);
    }, options);
    const engine = engineFor();
    const resolution = await ask(engine, server.target(transport));
    expect(resolution).toMatchObject({ status: 'NOERROR', tries: 1, answer: [{ result: '"a.example"' }] });
    expect(engine.stats().mismatched).toBe(5);
  });

  test('ends as TIMEOUT when only foreign replies come', async () => {
    const server = await serverFor(
      (query) => query.send(withId(textReply(query), (query.packet.id ?? 0) + 1)),
      options,
    );
    const resolution = await ask(engineFor(), server.target(transport), { budgetMs: 150 });
    expect(resolution).toMatchObject({ status: 'TIMEOUT', delayMs: null });
  });

  test.each([
    ['a looped name', loopedReply],
    ['a cut record', (query: ScriptedQuery) => textReply(query).subarray(0, -3)],
    [
      'octets after the last record',
      (query: ScriptedQuery) => Buffer.concat([textReply(query), Buffer.alloc(9)]),
    ],
  ])('waits past a reply with %s and takes a sound one', async (_, broken) => {
    const server = await serverFor((query) => {
      query.send(broken(query));
      query.send(textReply(query));
    }, options);
    const engine = engineFor();
    expect(await ask(engine, server.target(transport))).toMatchObject({ status: 'NOERROR', tries: 1 });
    expect(engine.stats().malformed).toBe(1);
  });

  test('ends as MALFORMED at the deadline when only unreadable replies came', async () => {
    const server = await serverFor((query) => query.send(loopedReply(query)), options);
    const resolution = await ask(engineFor(), server.target(transport), { budgetMs: 150 });
    expect(resolution).toMatchObject({ status: 'MALFORMED', delayMs: null, answer: [] });
  });

  test('takes one of several copies of a reply', async () => {
    const server = await serverFor((query, number) => {
      for (let copy = 0; copy < (number === 1 ? 3 : 1); copy++) query.send(textReply(query));
    }, options);
    const engine = engineFor({ socketsPerServer: 1 });
    expect(await ask(engine, server.target(transport), { name: 'first.example' })).toMatchObject({
      tries: 1,
    });
    const second = await ask(engine, server.target(transport), { name: 'second.example' });
    expect(second.answer).toMatchObject([{ result: '"second.example"' }]);
    expect(engine.stats().duplicate).toBe(2);
  });

  test('asks again without EDNS when EDNS is refused, and remembers that server', async () => {
    const server = await serverFor(
      (query) => query.send(query.hasEdns ? replyTo(query, { rcode: 1 }) : textReply(query)),
      options,
    );
    const engine = engineFor();
    expect(await ask(engine, server.target(transport))).toMatchObject({ status: 'NOERROR', tries: 2 });
    expect(await ask(engine, server.target(transport))).toMatchObject({ status: 'NOERROR', tries: 1 });
    expect(server.queries.map((query) => query.hasEdns)).toEqual([true, false, false]);
  });

  test('reports NOTIMP when the server gives it without EDNS too', async () => {
    const server = await serverFor((query) => query.send(replyTo(query, { rcode: 4 })), options);
    const engine = engineFor();
    expect(await ask(engine, server.target(transport))).toMatchObject({ status: 'NOTIMP', tries: 2 });
    expect(await ask(engine, server.target(transport))).toMatchObject({ status: 'NOTIMP', tries: 2 });
  });

  test('reports the refusal of EDNS when the plain query stays unanswered', async () => {
    const server = await serverFor(
      (query) => query.hasEdns && query.send(replyTo(query, { rcode: 1 })),
      options,
    );
    const resolution = await ask(engineFor(), server.target(transport), { budgetMs: 150 });
    expect(resolution).toMatchObject({ status: 'FORMERR', tries: 3 });
    expect(resolution.delayMs).toBeGreaterThan(0);
  });

  test('is told fast that a port is closed, by two tries', async () => {
    const server = await serverFor(() => undefined, options);
    const target = server.target(transport);
    await server.stop();
    const startedAt = performance.now();
    const resolution = await ask(engineFor(), target, { budgetMs: 3_000 });
    // Over TCP no query leaves before the connection stands.
    expect(resolution).toMatchObject({
      status: 'CONN_REFUSED',
      delayMs: null,
      tries: transport === 'udp' ? 2 : 0,
    });
    expect(performance.now() - startedAt).toBeLessThan(800);
  });

  test('gives each of 5,000 queries its own answer, once', async () => {
    const server = await serverFor((query) => query.send(textReply(query)), options);
    const engine = engineFor({ maxInFlight: 300, maxInFlightPerServer: 100 });
    const names = Array.from({ length: 5_000 }, (_, index) => `n${index}.example`);
    const resolutions = await Promise.all(
      names.map((name, index) =>
        ask(engine, server.target(transport), { name, lane: index % 7, budgetMs: 20_000 }),
      ),
    );
    expect(resolutions.map(({ answer }) => answer.map(({ result }) => result).join())).toEqual(
      names.map((name) => `"${name}"`),
    );
    expect(server.queries).toHaveLength(5_000);
    expect(engine.stats()).toMatchObject({
      sent: 5_000,
      inFlight: 0,
      waiting: 0,
      mismatched: 0,
      duplicate: 0,
      late: 0,
      malformed: 0,
    });
  });
});
