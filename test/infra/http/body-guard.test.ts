// Bodies that are too large, by themselves or together, against a real server.
import { describe, expect, test } from 'vitest';
import { connectRaw, startScriptedServer } from './scripted-http-server.ts';

const kib = 1024;
const body = (octets: number) => JSON.stringify('x'.repeat(octets - 2));

function head(path: string, ...lines: string[]): string {
  return [`POST ${path} HTTP/1.1`, 'host: x', ...lines, '', ''].join('\r\n');
}

describe('a body over the limit', () => {
  // Such callers do not read before they have written all of it.
  test('is refused with a reply that a caller hears who sends all of it first', async () => {
    const server = await startScriptedServer({ bodyLimit: 1024 * kib });
    const octets = 6 * 1024 * kib;
    const connection = await connectRaw(server.port());
    connection.socket.pause();
    connection.socket.write(head('/octets', 'connection: close', `content-length: ${octets}`));
    await new Promise((resolve) => connection.socket.write(Buffer.alloc(octets), resolve));
    connection.socket.resume();
    expect(await connection.readAll()).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"PAYLOAD_TOO_LARGE"/);
  });

  test('far beyond it is refused at once', async () => {
    const server = await startScriptedServer();
    const connection = await connectRaw(server.port());
    connection.socket.write(head('/octets', 'content-length: 1000000000000'));
    expect(await connection.readUntil('\r\n\r\n{')).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('of its call is refused, whatever the server takes, and whether its length is known', async () => {
    const server = await startScriptedServer();
    const refused = { code: 'PAYLOAD_TOO_LARGE', message: 'the body is larger than 100 bytes', status: 413 };
    const large = new Blob([body(101)]);
    for (const init of [{ body: large }, { body: large.stream(), duplex: 'half' as const }]) {
      const response = await fetch(`${server.url()}/small`, { method: 'POST', ...init });
      expect([response.status, await response.json()]).toEqual([413, refused]);
    }
    const fitting = await fetch(`${server.url()}/small`, { method: 'POST', body: body(100) });
    expect(fitting.status).toBe(200);
  });

  test('that does not come is cut off', async () => {
    const server = await startScriptedServer({ timeLimits: { headersMs: 50, requestMs: 100 } });
    const connection = await connectRaw(server.port());
    connection.socket.write(head('/octets', 'content-length: 1001'));
    expect(await connection.readAll()).toMatch(/^HTTP\/1\.1 408 /);
    await server.counted('probe_http_in_hand ', 0);
  });

  test('whose caller leaves is forgotten', async () => {
    const server = await startScriptedServer();
    const connection = await connectRaw(server.port());
    connection.socket.write(`${head('/octets', 'content-length: 1001')}x`);
    await server.counted('probe_http_in_hand ', 1);
    connection.socket.resetAndDestroy();
    await server.counted('probe_http_in_hand ', 0);
    await server.counted('probe_http_requests_total{route="/octets",status="aborted"}');
  });

  test('needs a key to be told so', async () => {
    const server = await startScriptedServer({ apiKeys: ['0123456789abcdef'] });
    const response = await fetch(`${server.url()}/octets`, { method: 'POST', body: body(2000) });
    expect(response.status).toBe(401);
  });
});

describe('bodies that are more than all may be together', () => {
  const limits = { bodyLimit: 100 * kib, maxBodyOctets: 200 * kib };
  const large = body(100 * kib);
  async function post(url: string, path: string, text: string) {
    const response = await fetch(`${url}${path}`, { method: 'POST', body: text });
    return [response.status, await response.json()];
  }

  test('are refused while the others are in hand', async () => {
    const server = await startScriptedServer(limits);
    const held = [1, 2].map(() => post(server.url(), '/wait', large));
    await server.waiting(2);
    expect(await post(server.url(), '/octets', large)).toEqual([
      429,
      {
        code: 'OVERLOADED',
        message: 'the requests in hand are as large as all may be together',
        status: 429,
      },
    ]);
    // Small ones are not counted.
    expect(await post(server.url(), '/octets', '{}')).toMatchObject([200, { length: 2 }]);
    server.letGo();
    await Promise.all(held);
    await server.counted('probe_http_in_hand ', 0);
    expect(await post(server.url(), '/octets', large)).toMatchObject([200, { length: 100 * kib }]);
  });

  test('count until their handler is done, also when the caller has left', async () => {
    const server = await startScriptedServer(limits);
    for (const count of [1, 2]) {
      const leaving = await connectRaw(server.port());
      leaving.socket.write(head('/wait', `content-length: ${large.length}`) + large);
      await server.waiting(count);
      leaving.socket.destroy();
    }
    await server.counted('probe_http_requests_total{route="/wait",status="aborted"}', 2);
    expect(await post(server.url(), '/octets', large)).toMatchObject([429, { code: 'OVERLOADED' }]);
    server.letGo();
    await server.counted('probe_http_in_hand ', 0);
    expect(await post(server.url(), '/octets', large)).toMatchObject([200, {}]);
  });

  test('count as one of the limit where nobody knows their length', async () => {
    const server = await startScriptedServer(limits);
    for (const count of [1, 2]) {
      const chunked = await connectRaw(server.port());
      chunked.socket.write(`${head('/wait', 'transfer-encoding: chunked')}1\r\n7\r\n0\r\n\r\n`);
      await server.waiting(count);
    }
    expect(await post(server.url(), '/octets', large)).toMatchObject([429, { code: 'OVERLOADED' }]);
    server.letGo();
  });
});
