// What only happens over TCP: framing, pipelining, connections that break, servers that never stop.
import { once } from 'node:events';
import { describe, expect, test, vi } from 'vitest';
import { frame, replyTo, type ScriptedQuery, textReply } from '../../../helpers/scripted-dns-server.ts';
import { ask, engineFor, serverFor } from './engine-setup.ts';

/** Writes octets until the other side has had enough. */
function writeForever(query: ScriptedQuery, octets: Buffer): void {
  const connection = query.connection();
  const write = () => {
    while (connection.writable && connection.write(octets));
  };
  connection.on('drain', write);
  write();
}

describe('a query over TCP', () => {
  test('reads a reply that comes in single octets', async () => {
    const server = await serverFor(async (query) => {
      for (const octet of frame(textReply(query))) {
        await new Promise((resolve) => query.connection().write(Buffer.of(octet), resolve));
      }
    });
    expect(await ask(engineFor(), server.target('tcp'))).toMatchObject({ status: 'NOERROR', tries: 1 });
  });

  test('reads several replies that come in one segment', async () => {
    const held: ScriptedQuery[] = [];
    const server = await serverFor((query) => {
      held.push(query);
      if (held.length === 5)
        query.connection().write(Buffer.concat(held.map((each) => frame(textReply(each)))));
    });
    const engine = engineFor();
    const names = Array.from({ length: 5 }, (_, index) => `n${index}.example`);
    const resolutions = await Promise.all(names.map((name) => ask(engine, server.target('tcp'), { name })));
    expect(resolutions.map(({ answer }) => answer[0]?.result)).toEqual(names.map((name) => `"${name}"`));
    expect(server.connections).toHaveLength(1);
  });

  test('takes replies to pipelined queries out of order', async () => {
    const held: ScriptedQuery[] = [];
    const server = await serverFor((query) => {
      held.push(query);
      if (held.length === 6) for (const each of held.reverse()) each.send(textReply(each));
    });
    const engine = engineFor();
    const names = Array.from({ length: 6 }, (_, index) => `n${index}.example`);
    const resolutions = await Promise.all(names.map((name) => ask(engine, server.target('tcp'), { name })));
    expect(resolutions.map(({ answer }) => answer[0]?.result)).toEqual(names.map((name) => `"${name}"`));
    expect(server.connections).toHaveLength(1);
  });

  test('uses a connection again', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor();
    for (let count = 0; count < 10; count++) await ask(engine, server.target('tcp'));
    expect(server.connections).toHaveLength(1);
  });

  test('shares at most four connections to one server', async () => {
    const held: ScriptedQuery[] = [];
    const server = await serverFor((query) => {
      held.push(query);
      if (held.length === 100) for (const each of held) each.send(textReply(each));
    });
    const engine = engineFor();
    const asked = Array.from({ length: 100 }, () => ask(engine, server.target('tcp')));
    expect((await Promise.all(asked)).every(({ status }) => status === 'NOERROR')).toBe(true);
    expect(server.connections).toHaveLength(4);
  });

  test('leaves an idle connection to be closed', async () => {
    const server = await serverFor((query) => query.send(textReply(query)));
    const engine = engineFor({ idleMs: 40 });
    await ask(engine, server.target('tcp'));
    const [connection] = server.connections;
    if (connection === undefined) throw new Error('no connection');
    await once(connection, 'close');
    expect(engine.stats().tcpConnections).toBe(0);
  });

  test('is asked once more on a new connection when the server closed the old one', async () => {
    const server = await serverFor((query, number) => {
      if (number === 2) query.connection().end();
      else query.send(textReply(query));
    });
    const engine = engineFor();
    expect(await ask(engine, server.target('tcp'))).toMatchObject({ status: 'NOERROR', tries: 1 });
    expect(await ask(engine, server.target('tcp'))).toMatchObject({ status: 'NOERROR', tries: 2 });
    expect(server.connections).toHaveLength(2);
  });

  test('has all its answers from a server that closes each connection after one reply', async () => {
    const server = await serverFor((query) => {
      if (query.connection().writableEnded) return;
      query.send(textReply(query));
      query.connection().end();
    });
    const engine = engineFor();
    const names = Array.from({ length: 24 }, (_, index) => `n${index}.example`);
    const resolutions = await Promise.all(names.map((name) => ask(engine, server.target('tcp'), { name })));
    expect(resolutions.map(({ answer }) => answer[0]?.result)).toEqual(names.map((name) => `"${name}"`));
    expect(engine.stats().sent).toBeGreaterThan(24);
  });

  test('ends as NETWORK_ERROR, well before the deadline, when two connections are reset within a reply', async () => {
    const server = await serverFor((query) => {
      const connection = query.connection();
      connection.write(frame(textReply(query)).subarray(0, 20), () => connection.resetAndDestroy());
    });
    const startedAt = performance.now();
    const resolution = await ask(engineFor(), server.target('tcp'));
    expect(resolution).toMatchObject({ status: 'NETWORK_ERROR', delayMs: null, tries: 2 });
    expect(performance.now() - startedAt).toBeLessThan(500);
    expect(server.connections).toHaveLength(2);
  });

  test('ends as TIMEOUT when the rest of a reply never comes', async () => {
    const server = await serverFor((query) =>
      query.connection().write(frame(textReply(query)).subarray(0, 20)),
    );
    expect(await ask(engineFor(), server.target('tcp'), { budgetMs: 150 })).toMatchObject({
      status: 'TIMEOUT',
    });
  });

  test.each([
    ['64 KB messages of junk', frame(Buffer.alloc(65_535, 0xff))],
    ['empty messages', Buffer.alloc(65_536)],
    // Many in one write: one by one they are a race of two processors.
    ['small messages that answer nothing', Buffer.alloc(65_538, frame(Buffer.alloc(20, 1)))],
    ['octets without any frame', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'.repeat(100))],
  ])('cuts off a server that sends %s forever', async (_, octets) => {
    const server = await serverFor((query) => writeForever(query, octets));
    const engine = engineFor();
    const startedAt = performance.now();
    const resolution = await ask(engine, server.target('tcp'));
    expect(resolution).toMatchObject({ status: 'MALFORMED', delayMs: null, tries: 2 });
    expect(performance.now() - startedAt).toBeLessThan(1_500);
    expect(engine.stats().tcpConnections).toBe(0);
  });

  test.each([
    ['15 messages', Array.from({ length: 15 }, () => Buffer.alloc(20, 1)), 'NOERROR'],
    ['16 messages', Array.from({ length: 16 }, () => Buffer.alloc(20, 1)), 'MALFORMED'],
    ['131,071 octets', [Buffer.alloc(65_535), Buffer.alloc(65_535), Buffer.alloc(1)], 'NOERROR'],
    ['131,072 octets', [Buffer.alloc(65_535), Buffer.alloc(65_535), Buffer.alloc(2)], 'MALFORMED'],
  ])('sent after %s that answer nothing decides between patience and the end', async (_, junk, status) => {
    const server = await serverFor((query) =>
      query.connection().write(Buffer.concat([...junk, textReply(query)].map(frame))),
    );
    expect(await ask(engineFor(), server.target('tcp'))).toMatchObject({ status });
  });

  test.each([
    ['many small', Array.from({ length: 10 }, () => Buffer.alloc(20, 1))],
    ['large', [Buffer.alloc(50_000)]],
  ])('counts junk anew after each reply when it is %s', async (_, junk) => {
    const server = await serverFor((query) =>
      query.connection().write(Buffer.concat([...junk, textReply(query)].map(frame))),
    );
    const engine = engineFor();
    for (let count = 0; count < 5; count++)
      expect(await ask(engine, server.target('tcp'))).toMatchObject({ status: 'NOERROR', tries: 1 });
    expect(server.connections).toHaveLength(1);
  });

  test('cuts off a server that repeats its unreadable reply forever', async () => {
    const server = await serverFor((query) => writeForever(query, frame(textReply(query).subarray(0, -1))));
    const resolution = await ask(engineFor(), server.target('tcp'));
    expect(resolution).toMatchObject({ status: 'MALFORMED', tries: 2 });
  });

  test('takes a reply larger than a datagram', async () => {
    const data = Array.from({ length: 200 }, () => 'x'.repeat(250));
    const server = await serverFor((query) =>
      query.send(replyTo(query, { answers: [{ type: 'TXT', name: query.name, ttl: 1, data }] })),
    );
    const { answer } = await ask(engineFor(), server.target('tcp'));
    expect(answer[0]?.result).toHaveLength(200 * 253 - 1);
  });

  test('opens a new connection for the second try when the first stays silent, and leaves the silent one', async () => {
    const server = await serverFor((query) => {
      if (server.connections.length > 1) query.send(textReply(query));
    });
    const engine = engineFor();
    expect(await ask(engine, server.target('tcp'), { budgetMs: 250 })).toMatchObject({
      status: 'NOERROR',
      tries: 2,
    });
    await vi.waitFor(() => expect(engine.stats().tcpConnections).toBe(1));
    expect(await ask(engine, server.target('tcp'))).toMatchObject({ status: 'NOERROR', tries: 1 });
    expect(server.connections).toHaveLength(2);
  });
});
