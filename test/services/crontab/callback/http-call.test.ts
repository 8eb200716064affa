// Callbacks by POST and GET against real servers: what is sent, and what each kind of reply comes to.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { setDefaultCACertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { version } from '../../../../infra/version.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import {
  callbackTo,
  createTestCaller,
  findClosedPort,
  startHttpServer,
  startTcpServer,
} from './callback-setup.ts';
import { loopbackCertificate } from './loopback-certificate.ts';

const secret = `whsec_${Buffer.from('0123456789abcdef01234567').toString('base64')}`;

/** A server that sends these octets to whoever connects, and then closes when told to. */
async function startRawServer(reply: string, { closes = false } = {}) {
  const { port } = await startTcpServer((connection) => {
    connection.once('data', () => (closes ? connection.end(reply) : connection.write(reply)));
  });
  return `http://127.0.0.1:${port}/`;
}

test('a POST carries the body as it is, its type, and the headers of Standard Webhooks', async () => {
  const { origin, requests } = await startHttpServer((response) => response.end('done'));
  const body = '{ "名": [1, 2.50] }';
  const outcome = await createTestCaller().call(callbackTo(`${origin}/a/b?c=d#e`, { body }));
  expect(outcome).toEqual({ isOk: true, resp: 'done', respCode: 200, err: '' });
  expect(requests).toMatchObject([
    {
      method: 'POST',
      url: '/a/b?c=d',
      body,
      headers: {
        host: origin.replace('http://', ''),
        'content-type': 'application/json',
        'webhook-id': 'occurrence-1',
        'webhook-timestamp': expect.stringMatching(/^\d{10}$/),
        'user-agent': `probe-task-crontab/${version}`,
      },
    },
  ]);
  expect(requests[0]?.headers).not.toHaveProperty('webhook-signature');
});

test.each([
  { name: "the task's secret", fields: { secret }, options: {} },
  { name: "the service's secret", fields: {}, options: { defaultSecret: secret } },
])('a POST is signed with $name over id, time and body', async ({ fields, options }) => {
  const { origin, requests } = await startHttpServer();
  const body = '{"say":"你好"}';
  await createTestCaller(options).call(callbackTo(origin, { body, ...fields }));
  const sent = requests[0]?.headers;
  const signed = `occurrence-1.${sent?.['webhook-timestamp']}.${body}`;
  const signature = createHmac('sha256', '0123456789abcdef01234567').update(signed).digest('base64');
  expect(sent?.['webhook-signature']).toBe(`v1,${signature}`);
});

test('a form is sent urlencoded by POST and signed as it is sent', async () => {
  const { origin, requests } = await startHttpServer();
  const body = '{"a":"x y","n":[9007199254740993,true],"z":null}';
  await createTestCaller().call(callbackTo(origin, { body, bodyType: 2, secret }));
  const [request] = requests;
  expect(request).toMatchObject({
    body: 'a=x+y&n=9007199254740993&n=true&z=',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const signed = `occurrence-1.${request?.headers['webhook-timestamp']}.${request?.body}`;
  const signature = createHmac('sha256', '0123456789abcdef01234567').update(signed).digest('base64');
  expect(request?.headers['webhook-signature']).toBe(`v1,${signature}`);
});

test.each([
  { path: '/p', url: '/p?a=1&b=%C3%BC' },
  { path: '/p?q=0', url: '/p?q=0&a=1&b=%C3%BC' },
])('a form by GET goes into the query of $path', async ({ path, url }) => {
  const { origin, requests } = await startHttpServer();
  const body = '{"a":1,"b":"ü"}';
  await createTestCaller().call(callbackTo(origin + path, { method: 'get', body, bodyType: 2 }));
  expect(requests).toMatchObject([{ method: 'GET', url, body: '' }]);
});

test('urlencoded text by GET is encoded where a query cannot hold it', async () => {
  const { origin, requests } = await startHttpServer();
  const call = { method: 'get', body: 'a=中#x&b=%20+"', bodyType: 2 } as const;
  expect(await createTestCaller().call(callbackTo(`${origin}/p?q=0`, call))).toMatchObject({ isOk: true });
  expect(await createTestCaller().call(callbackTo(`${origin}/p`, call))).toMatchObject({ isOk: true });
  const query = 'a=%E4%B8%AD%23x&b=%20+%22';
  expect(requests).toMatchObject([{ url: `/p?q=0&${query}` }, { url: `/p?${query}` }]);
});

test('a GET carries a JSON body as it is', async () => {
  const { origin, requests } = await startHttpServer();
  await createTestCaller().call(callbackTo(origin, { method: 'get', body: '[1]' }));
  expect(requests).toMatchObject([{ method: 'GET', body: '[1]', headers: { 'content-length': '3' } }]);
});

test.each(['post', 'get'] as const)('a %s without a body names no content type', async (method) => {
  const { origin, requests } = await startHttpServer();
  expect(await createTestCaller().call(callbackTo(origin, { method }))).toMatchObject({ isOk: true });
  expect(requests[0]?.headers).not.toHaveProperty('content-type');
});

test.each([
  [200, { isOk: true, err: '' }],
  [204, { isOk: true, err: '' }],
  [299, { isOk: true, err: '' }],
  [302, { isOk: false, err: 'HTTP_STATUS: 302, redirects are not followed to http://127.0.0.1:1/x' }],
  [304, { isOk: false, err: 'HTTP_STATUS: 304, redirects are not followed to http://127.0.0.1:1/x' }],
  [404, { isOk: false, err: 'HTTP_STATUS: 404, Not Found' }],
  [599, { isOk: false, err: 'HTTP_STATUS: 599, unknown' }],
] as const)('status %i', async (status, outcome) => {
  const { origin } = await startHttpServer((response) => {
    response.writeHead(status, { location: 'http://127.0.0.1:1/x' }).end('text');
  });
  const resp = status === 204 || status === 304 ? '' : 'text';
  expect(await createTestCaller().call(callbackTo(origin))).toEqual({ ...outcome, resp, respCode: status });
});

test('a redirect is not followed', async () => {
  const { origin, requests } = await startHttpServer((response) =>
    response.writeHead(307, { location: '/' }).end(),
  );
  await createTestCaller().call(callbackTo(origin));
  expect(requests).toHaveLength(1);
});

test('a reply that an interim status announces counts alone', async () => {
  const { origin } = await startHttpServer((response) => {
    response.writeEarlyHints({ link: '</x>; rel=preload' });
    response.writeHead(201).end('real');
  });
  expect(await createTestCaller().call(callbackTo(origin))).toMatchObject({
    isOk: true,
    resp: 'real',
    respCode: 201,
  });
});

test('an interim status is none when no other follows', async () => {
  const url = await startRawServer('HTTP/1.1 103 Early Hints\r\n\r\n', { closes: true });
  expect(await createTestCaller().call(callbackTo(url))).toMatchObject({ isOk: false, respCode: null });
});

test.each([
  ['', true],
  ['*', true],
  ['"code":\\s*0\\b', true],
  ['^\\{', true],
  ['"code":1', false],
])('a reply is held against resp_regexp %j', async (respRegexp, isOk) => {
  const { origin } = await startHttpServer((response) => response.end('{"code": 0}'));
  expect(await createTestCaller().call(callbackTo(origin, { respRegexp }))).toEqual({
    isOk,
    resp: '{"code": 0}',
    respCode: 200,
    err: isOk ? '' : 'NO_MATCH: the reply does not match resp_regexp',
  });
});

test('a status that is no success fails whatever the reply matches', async () => {
  const { origin } = await startHttpServer((response) => response.writeHead(500).end('ok'));
  expect(await createTestCaller().call(callbackTo(origin, { respRegexp: 'ok' }))).toMatchObject({
    isOk: false,
    err: 'HTTP_STATUS: 500, Internal Server Error',
  });
});

test('a reply that is no UTF-8 becomes text that can be stored', async () => {
  const { origin } = await startHttpServer((response) =>
    response.end(Buffer.from([0x61, 0xff, 0x00, 0xe4, 0xb8, 0xad])),
  );
  expect((await createTestCaller().call(callbackTo(origin))).resp).toBe('a\ufffd中');
});

test('a reply without end is read up to 64 KiB and its connection closed', async () => {
  const { origin, server } = await startHttpServer((response) => {
    const pour = () => {
      while (response.write('中'.repeat(1000)));
    };
    response.on('drain', pour);
    pour();
  });
  const closed = new Promise((resolve) =>
    server.once('connection', (socket) => socket.once('close', resolve)),
  );
  const outcome = await createTestCaller().call(callbackTo(origin, { respRegexp: '^中+$' }));
  expect(outcome).toMatchObject({ isOk: true, respCode: 200, err: '' });
  expect(outcome.resp).toBe(`${'中'.repeat(21_845)}\n…(cut after 64 KiB)`);
  await closed;
});

test('a reply of exactly 64 KiB is whole', async () => {
  const { origin } = await startHttpServer((response) => response.end('x'.repeat(65_536)));
  expect((await createTestCaller().call(callbackTo(origin))).resp).toBe('x'.repeat(65_536));
});

test('a server that sends nothing is a TIMEOUT at the deadline', async () => {
  const { origin, requests } = await startHttpServer(() => undefined);
  const begunMs = performance.now();
  const outcome = await createTestCaller().call(callbackTo(origin, { timeoutMs: 150 }));
  expect(outcome).toEqual({
    isOk: false,
    resp: '',
    respCode: null,
    err: 'TIMEOUT: no reply (after 150 ms)',
  });
  expect(performance.now() - begunMs).toBeGreaterThan(140);
  expect(requests).toHaveLength(1);
});

test('headers that come slower than the deadline are a TIMEOUT', async () => {
  const outcome = await createTestCaller().call(
    callbackTo(await startRawServer('HTTP/1.1 200 OK\r\ncontent-le'), { timeoutMs: 100 }),
  );
  expect(outcome.err).toBe('TIMEOUT: no reply (after 100 ms)');
});

test('a body that comes slower than the deadline is a TIMEOUT with what had come', async () => {
  const url = await startRawServer('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf');
  expect(await createTestCaller().call(callbackTo(url, { timeoutMs: 100 }))).toEqual({
    isOk: false,
    resp: 'half',
    respCode: 200,
    err: 'TIMEOUT: the reply was not complete (after 100 ms)',
  });
});

test('a port on which nobody listens is CONN_REFUSED', async () => {
  const outcome = await createTestCaller().call(callbackTo(`http://127.0.0.1:${await findClosedPort()}`));
  expect(outcome.err).toBe('CONN_REFUSED: nobody listens there');
});

test('a name that does not exist is said to be a fault of DNS', async () => {
  const outcome = await createTestCaller().call(callbackTo('http://no-such-host.invalid/'));
  expect(outcome.err).toMatch(/^NETWORK_ERROR: DNS: /);
});

test('a connection that closes before the reply is complete is a NETWORK_ERROR with what had come', async () => {
  const url = await startRawServer('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf', { closes: true });
  expect(await createTestCaller().call(callbackTo(url))).toEqual({
    isOk: false,
    resp: 'half',
    respCode: 200,
    err: 'NETWORK_ERROR: the connection was closed before the reply was complete',
  });
});

test('a connection that is reset is a NETWORK_ERROR', async () => {
  const { port } = await startTcpServer((connection) =>
    connection.once('data', () => connection.resetAndDestroy()),
  );
  const outcome = await createTestCaller().call(callbackTo(`http://127.0.0.1:${port}/`));
  expect(outcome.err).toBe('NETWORK_ERROR: the connection was reset before the reply was complete');
});

test.each([
  ['220 smtp.example.com ESMTP\r\n', /^BAD_REPLY: not HTTP: /],
  ['{"not":"http"}\n', /^BAD_REPLY: not HTTP: /],
  ['HTTP/1.1 000 No\r\n\r\n', /^BAD_REPLY: not HTTP$/],
  [`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}\r\n\r\n`, /^BAD_REPLY: headers over 16 KiB$/],
])('a server that speaks no HTTP is a BAD_REPLY (%#)', async (reply, err) => {
  const outcome = await createTestCaller().call(callbackTo(await startRawServer(reply)));
  expect(outcome).toMatchObject({ isOk: false, respCode: null, err: expect.stringMatching(err) });
});

test('TLS to a server without TLS is said to be a fault of TLS', async () => {
  const { port } = await startHttpServer();
  const outcome = await createTestCaller().call(callbackTo(`https://127.0.0.1:${port}/`));
  expect(outcome.err).toMatch(/^NETWORK_ERROR: TLS: /);
});

/** A server with the certificate of tests, at any address of loopback. */
async function startTlsServer(host: string): Promise<string> {
  const server = createTlsServer(loopbackCertificate, (_request, response) => response.end('safe'));
  server.listen(0, host);
  await once(server, 'listening');
  keepUntilTestEnd({
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  });
  const address = server.address();
  return `https://${host}:${typeof address === 'object' ? address?.port : ''}/`;
}

test('a certificate counts that is trusted and names the host, and no other', async () => {
  const [named, other] = await Promise.all([startTlsServer('127.0.0.1'), startTlsServer('127.0.0.2')]);
  const caller = createTestCaller();
  expect((await caller.call(callbackTo(named))).err).toMatch(/^NETWORK_ERROR: TLS: self-signed certificate/);
  setDefaultCACertificates([loopbackCertificate.cert]);
  expect(await caller.call(callbackTo(named))).toMatchObject({ isOk: true, resp: 'safe' });
  expect((await caller.call(callbackTo(other))).err).toMatch(/^NETWORK_ERROR: TLS: .*127\.0\.0\.2/);
});

test.each(['http', 'https'])('%s to a server that drops every connection fails at once', async (scheme) => {
  const { port, connections } = await startTcpServer((connection) => connection.destroy());
  const outcome = await createTestCaller().call(callbackTo(`${scheme}://127.0.0.1:${port}/`, { body: '1' }));
  expect(outcome).toMatchObject({ isOk: false, err: expect.stringMatching(/^NETWORK_ERROR: /) });
  expect(connections).toHaveLength(1);
});
