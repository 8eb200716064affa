// Connections that stall, break off or stay open, and the stop of a server.
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { until } from '../../helpers/test-client.ts';
import { connectRaw, startScriptedServer } from './scripted-http-server.ts';

const get = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
const post = (path: string) => `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n1`;

describe('a caller', () => {
  test('that leaves in the middle of its body is no more than a line for debugging', async () => {
    const server = await startScriptedServer();
    const connection = await connectRaw(server.port());
    connection.socket.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"a":');
    await server.counted('probe_http_in_hand ', 1);
    connection.socket.resetAndDestroy();
    await server.counted('probe_http_requests_total{route="/echo",status="aborted"}');
    await server.counted('probe_http_in_hand ', 0);
    expect(await server.readMetric('probe_http_requests_total{route="none"')).toBe(0);
    expect(server.logged.filter(({ level }) => Number(level) > 20)).toEqual([
      expect.objectContaining({ msg: 'listening' }),
    ]);
  });

  test('that does not finish its header is cut off', async () => {
    const server = await startScriptedServer({ timeLimits: { headersMs: 50 } });
    const connection = await connectRaw(server.port());
    connection.socket.write('POST /echo HTTP/1.1\r\nhost: x\r\n');
    expect(await connection.readAll()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n[\s\S]*INVALID_REQUEST/);
  });

  test('that does not finish its body is cut off', async () => {
    const server = await startScriptedServer({ timeLimits: { headersMs: 50, requestMs: 100 } });
    const connection = await connectRaw(server.port());
    connection.socket.write('POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"a":');
    expect(await connection.readAll()).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\n/);
    await server.counted('probe_http_in_hand ', 0);
  });

  test('that says nothing for too long is cut off', async () => {
    const server = await startScriptedServer({ timeLimits: { silenceMs: 50 } });
    const connection = await connectRaw(server.port());
    expect(await connection.readAll()).toBe('');
  });
});

test('a handler is told that its caller has left', async () => {
  const server = await startScriptedServer();
  const leaving = await connectRaw(server.port());
  leaving.socket.write(post('/until'));
  await server.begun(1);
  leaving.socket.destroy();
  await until(async () => server.ended() === 1);
  await server.counted('probe_http_in_hand ', 0);
});

describe('a stop', () => {
  test('lets the requests in hand finish, and takes no others', async () => {
    const server = await startScriptedServer();
    const working = await connectRaw(server.port());
    working.socket.write(post('/wait'));
    await server.waiting(1);
    const stopped = server.stop();
    // On a connection that is there already.
    working.socket.write(post('/echo'));
    await until(async () => server.logged.some(({ code }) => code === 'UNAVAILABLE'));
    const late = await connectRaw(server.port()).catch((error: unknown) => error);
    expect(late).toMatchObject({ code: 'ECONNREFUSED' });
    server.letGo();
    expect(await working.readAll()).toMatch(
      /^HTTP\/1\.1 200 OK\r\n[\s\S]*connection: close[\s\S]*\{"finished":1\}/,
    );
    await stopped;
    expect(server.logged.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  test('closes idle connections and silent ones at once', async () => {
    const server = await startScriptedServer();
    const idle = await connectRaw(server.port());
    idle.socket.write(get);
    await idle.readUntil('{"status":"ok"}');
    const silent = await connectRaw(server.port());
    const halfway = await connectRaw(server.port());
    halfway.socket.write('POST /echo HT');
    const startedAt = performance.now();
    await server.stop();
    expect(performance.now() - startedAt).toBeLessThan(2000);
    expect(await idle.readAll()).not.toContain('408');
    expect([await silent.readAll(), await halfway.readAll()]).toEqual(['', '']);
  });

  test('cuts off what takes longer than its limit, and says so', async () => {
    const server = await startScriptedServer({ timeLimits: { stopMs: 50 } });
    const working = await connectRaw(server.port());
    working.socket.write(post('/wait'));
    await server.waiting(1);
    await server.stop();
    expect(await working.readAll()).toBe('');
    expect(server.logged).toContainEqual(
      expect.objectContaining({ level: 40, msg: 'requests were cut off by the stop', requests: 1 }),
    );
  });

  test('waits for a handler whose caller has left', async () => {
    const server = await startScriptedServer();
    const leaving = await connectRaw(server.port());
    leaving.socket.write(post('/wait'));
    await server.waiting(1);
    leaving.socket.destroy();
    await once(leaving.socket, 'close');
    const stopped = server.stop().then(() => server.finished());
    await server.counted('probe_http_requests_total{route="/wait",status="aborted"}');
    server.letGo();
    expect(await stopped).toBe(1);
  });

  test('tells handlers that wait for something else', async () => {
    const server = await startScriptedServer();
    const waiting = await connectRaw(server.port());
    waiting.socket.write(post('/until'));
    await server.begun(1);
    await server.stop();
    expect(await waiting.readAll()).toMatch(/\{"ended":1\}/);
  });

  test('tells handlers that begin during it, too', async () => {
    const server = await startScriptedServer();
    const halfway = await connectRaw(server.port());
    halfway.socket.write('POST /until HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\n\r\n');
    await server.counted('probe_http_in_hand ', 1);
    const stopped = server.stop();
    halfway.socket.write('1');
    expect(await halfway.readAll()).toMatch(/\{"ended":1\}/);
    await stopped;
  });

  test('may come a second time, and nothing starts after it', async () => {
    const server = await startScriptedServer();
    await Promise.all([server.stop(), server.stop()]);
    await server.start();
    await expect(connectRaw(server.port())).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
