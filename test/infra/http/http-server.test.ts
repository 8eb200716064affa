// Requests good and bad against a real server: bodies, routes, errors, ids, counts.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ProbeTaskError } from '../../../contracts/errors.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { connectRaw, startScriptedServer } from './scripted-http-server.ts';

type Reply = { status: number; body: unknown; headers: Headers };

async function post(
  url: string,
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Reply> {
  const response = await fetch(url, { method: 'POST', body, headers });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

describe('a body', () => {
  test.each([
    'application/json',
    'application/x-www-form-urlencoded',
    'text/plain;charset=UTF-8',
    'application/octet-stream',
    'no media type at all',
    ';',
  ])('is read as JSON under the content type %j', async (type) => {
    const server = await startScriptedServer();
    const { status, body } = await post(`${server.url()}/echo`, '{"name":"拨测"}', { 'content-type': type });
    expect([status, body]).toEqual([200, { body: { name: '拨测' } }]);
  });

  test('is read without a content type', async () => {
    const server = await startScriptedServer();
    const connection = await connectRaw(server.port());
    connection.socket.write(
      'POST /echo HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nconnection: close\r\n\r\n[7]',
    );
    expect(await connection.readAll()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n\{"body":\[7\]\}$/);
  });

  test('is read in chunks', async () => {
    const server = await startScriptedServer();
    const connection = await connectRaw(server.port());
    connection.socket.write(
      'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n',
    );
    connection.socket.write('1\r\n[\r\n2\r\n7]\r\n0\r\n\r\n');
    expect(await connection.readAll()).toMatch(/\{"body":\[7\]\}$/);
  });

  test.each([
    ['no JSON', 'x', 'the body is not JSON'],
    ['nothing', '', 'the body is empty'],
    ['no UTF-8', Uint8Array.from([0x22, 0xff, 0x22]), 'the body is not UTF-8'],
    ['two values', '{}{}', 'the body is not JSON'],
  ])('of %s is refused', async (_kind, octets, message) => {
    const server = await startScriptedServer();
    const { status, body } = await post(`${server.url()}/echo`, octets);
    expect([status, body]).toEqual([400, { code: 'INVALID_JSON', message, status: 400 }]);
  });

  test('may have keys that objects inherit', async () => {
    const server = await startScriptedServer();
    const text = '{"__proto__":{"isAdmin":true},"constructor":{"prototype":{"isAdmin":true}}}';
    const response = await fetch(`${server.url()}/echo`, { method: 'POST', body: text });
    expect(await response.text()).toBe(`{"body":${text}}`);
    expect('isAdmin' in {}).toBe(false);
  });

  test('nested a hundred thousand deep leaves the server unharmed', async () => {
    const server = await startScriptedServer({ bodyLimit: 1_000_000 });
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const { status } = await post(`${server.url()}/refuse`, deep);
    expect(status).toBe(409);
    expect((await post(`${server.url()}/echo`, '1')).body).toEqual({ body: 1 });
  });

  test('of the limit is taken, and one byte more is refused', async () => {
    const server = await startScriptedServer({ bodyLimit: 10 });
    expect((await post(`${server.url()}/echo`, '"12345678"')).status).toBe(200);
    const { status, body } = await post(`${server.url()}/echo`, '"123456789"');
    expect([status, body]).toEqual([
      413,
      { code: 'PAYLOAD_TOO_LARGE', message: 'the body is larger than 10 bytes', status: 413 },
    ]);
  });

  test('beyond the limit is refused in chunks, too, before it is complete', async () => {
    const server = await startScriptedServer({ bodyLimit: 10 });
    const connection = await connectRaw(server.port());
    connection.socket.write('POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    connection.socket.write(`14\r\n${'1'.repeat(20)}\r\n`);
    expect(await connection.readAll()).toMatch(/^HTTP\/1\.1 413 [\s\S]*"code":"PAYLOAD_TOO_LARGE"/);
  });
});

describe('a request', () => {
  test('to a path that is not there is told so', async () => {
    const server = await startScriptedServer();
    const { status, body } = await post(`${server.url()}/nowhere?x=1`, 'x'.repeat(5000));
    expect([status, body]).toEqual([
      404,
      { code: 'NOT_FOUND', message: 'there is nothing at /nowhere', status: 404 },
    ]);
  });

  test.each([
    ['GET', '/echo', 'POST'],
    ['DELETE', '/echo', 'POST'],
    ['OPTIONS', '/echo', 'POST'],
    ['PROPFIND', '/echo', 'POST'],
    ['POST', '/healthz', 'GET, HEAD'],
  ])('%s %s is told which method to take', async (method, path, allow) => {
    const server = await startScriptedServer();
    const response = await fetch(`${server.url()}${path}`, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, allow]);
    expect(await response.json()).toMatchObject({ code: 'METHOD_NOT_ALLOWED', message: `expected ${allow}` });
  });

  test('with a path that cannot be decoded is refused in the service’s own form', async () => {
    const server = await startScriptedServer();
    const response = await fetch(`${server.url()}/%zz`);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'INVALID_REQUEST' });
  });

  test.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['an unknown method', 'FROB /echo HTTP/1.1\r\nhost: x\r\n\r\n', 400],
    ['a header of 20 KB', `POST /echo HTTP/1.1\r\nhost: x\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'a chunk without a length',
      'POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      400,
    ],
  ])('of %s is refused in the service’s own form', async (_kind, text, status) => {
    const server = await startScriptedServer();
    const connection = await connectRaw(server.port());
    connection.socket.write(text);
    const reply = await connection.readAll();
    expect(reply).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [^]*\r\nConnection: close\r\n`));
    expect(JSON.parse(reply.slice(reply.indexOf('\r\n\r\n')))).toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await server.readMetric(`probe_http_requests_total{route="none",status="${status}"}`)).toBe(1);
  });
});

describe('an error', () => {
  test('with a code is told by it', async () => {
    const server = await startScriptedServer();
    const { status, body } = await post(`${server.url()}/refuse`, '1');
    expect([status, body]).toEqual([409, { code: 'CONFLICT', message: 'two of a kind', status: 409 }]);
  });

  test('without a code is logged with the request id, and nothing of it is told', async () => {
    const server = await startScriptedServer();
    const response = await fetch(`${server.url()}/fail`, {
      method: 'POST',
      body: '1',
      headers: { 'x-request-id': 'r-7' },
    });
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: 'INTERNAL' });
    expect(text).not.toContain('secret');
    expect(server.logged).toContainEqual(
      expect.objectContaining({
        level: 50,
        msg: 'a handler failed',
        request_id: 'r-7',
        err: expect.objectContaining({ message: 'a secret of the inside' }),
      }),
    );
    expect(server.logged).toContainEqual(
      expect.objectContaining({ msg: 'about to fail', request_id: 'r-7', path: '/fail' }),
    );
  });
});

describe('with statuses of its own, a service answers with them', () => {
  const statusOf = ({ code }: ProbeTaskError) => ({ CONFLICT: 400, NOT_FOUND: 410 })[String(code)] ?? 418;

  test.each([
    ['/refuse', '1', 400, 'CONFLICT'],
    ['/fail', '1', 418, 'INTERNAL'],
    ['/echo', 'x', 418, 'INVALID_JSON'],
    ['/echo', '1'.repeat(2000), 418, 'PAYLOAD_TOO_LARGE'],
    ['/nowhere', '1', 410, 'NOT_FOUND'],
    ['/%zz', '1', 418, 'INVALID_REQUEST'],
  ])('%s', async (path, body, status, code) => {
    const server = await startScriptedServer({ statusOf });
    const reply = await post(`${server.url()}${path}`, body);
    expect([reply.status, reply.body]).toMatchObject([status, { code }]);
  });

  test('also where there is no request', async () => {
    const server = await startScriptedServer({ statusOf });
    const connection = await connectRaw(server.port());
    connection.socket.write('hello\r\n\r\n');
    expect(await connection.readAll()).toMatch(/^HTTP\/1\.1 418 I'm a Teapot\r\n/);
  });
});

describe('a header', () => {
  async function readBack(lines: string[], name = 'X-Resource'): Promise<unknown> {
    const server = await startScriptedServer();
    const connection = await connectRaw(server.port());
    const body = JSON.stringify(name);
    const head = ['POST /header HTTP/1.1', 'host: x', 'connection: close', `content-length: ${body.length}`];
    connection.socket.write(`${[...head, ...lines].join('\r\n')}\r\n\r\n${body}`, 'latin1');
    const reply = await connection.readAll();
    return JSON.parse(reply.slice(reply.indexOf('\r\n\r\n'))).header;
  }

  test.each([
    ['is found in any case', ['x-rEsOuRcE: hubble'], 'hubble'],
    ['is trimmed', ['X-RESOURCE: \t hubble \t'], 'hubble'],
    ['is read as UTF-8', [`X-RESOURCE: ${Buffer.from('拨测').toString('latin1')}`], '拨测'],
    ['that is no UTF-8 shows it', ['X-RESOURCE: a\xffb'], 'a\uFFFDb'],
    ['that comes twice is the first', ['X-RESOURCE: a', 'x-resource: b'], 'a'],
    ['may be empty', ['X-RESOURCE:'], ''],
    ['may be missing', ['X-RESOURCES: a'], null],
  ])('%s', async (_what, lines, value) => {
    expect(await readBack(lines)).toBe(value);
  });

  test.each(['__proto__', 'constructor', ''])('is not inherited: %j', async (name) => {
    expect(await readBack([], name)).toBeNull();
  });
});

describe('the request id', () => {
  test.each(['a', 'x'.repeat(128), '0af7651916cd43dd8448eb211c80319c'])(
    '%j of the caller comes back',
    async (id) => {
      const server = await startScriptedServer();
      const { headers } = await post(`${server.url()}/echo`, '1', { 'x-request-id': id });
      expect(headers.get('x-request-id')).toBe(id);
    },
  );

  test.each(['', 'two words', 'x'.repeat(129), 'ünï'])('%j of the caller is replaced', async (id) => {
    const server = await startScriptedServer();
    const { headers } = await post(`${server.url()}/refuse`, '1', { 'x-request-id': id });
    expect(headers.get('x-request-id')).toMatch(/^[\da-f-]{36}$/);
  });

  test('comes with every kind of reply', async () => {
    const server = await startScriptedServer();
    for (const path of ['/healthz', '/nowhere', '/echo', '/%zz']) {
      const response = await fetch(`${server.url()}${path}`, { headers: { 'x-request-id': 'r-8' } });
      expect(response.headers.get('x-request-id'), path).toBe('r-8');
    }
  });
});

test('requests are counted by route and status', async () => {
  const server = await startScriptedServer();
  await post(`${server.url()}/echo?a=1`, '1');
  await post(`${server.url()}/echo?a=2`, '1');
  await post(`${server.url()}/echo`, 'x');
  await post(`${server.url()}/nowhere-1`, '1');
  await post(`${server.url()}/nowhere-2`, '1');
  const count = (labels: string) => server.readMetric(`probe_http_requests_total{${labels}}`);
  expect(await count('route="/echo",status="200"')).toBe(2);
  expect(await count('route="/echo",status="400"')).toBe(1);
  expect(await count('route="none",status="404"')).toBe(2);
  expect(await server.readMetric('probe_http_request_seconds_count{route="/echo"}')).toBe(3);
  expect(await server.readMetric('probe_http_in_hand ')).toBe(0);
});

test('health, readiness and metrics stand beside the calls, without a key', async () => {
  let isReady = true;
  const server = await startScriptedServer({
    apiKeys: ['0123456789abcdef'],
    checks: { database: { isRequired: true, check: () => isReady } },
  });
  expect(await (await fetch(`${server.url()}/healthz`)).json()).toEqual({ status: 'ok' });
  expect((await fetch(`${server.url()}/readyz`)).status).toBe(200);
  isReady = false;
  const response = await fetch(`${server.url()}/readyz`);
  expect([response.status, await response.json()]).toEqual([
    503,
    { status: 'not ready', checks: { database: false } },
  ]);
  expect(await (await fetch(`${server.url()}/metrics`)).text()).toContain('probe_http_requests_total');
});

test('a port that is taken is told with the variable that sets it', async () => {
  const stranger = createServer().listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  keepUntilTestEnd({ stop: async () => void stranger.close() });
  const address = stranger.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await expect(startScriptedServer({ port })).rejects.toThrow(
    new Error(`SCRIPTED_PORT: port ${port} of 127.0.0.1 is taken`),
  );
});
