// Where callbacks may connect to, checked on the address at the moment of the connection.
import { expect, test } from 'vitest';
import { callbackTo, createTestCaller, startHttpServer, startTcpServer } from './callback-setup.ts';

const loopback = ['127.0.0.0/8', '::1'];

test.each([
  '127.0.0.1',
  'localhost',
  '2130706433',
  '0x7f.1',
  '127.1',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
])('a POST to %s is FORBIDDEN_NETWORK where loopback is denied, and nothing connects', async (host) => {
  const { port, server } = await startHttpServer();
  let connections = 0;
  server.on('connection', () => connections++);
  const outcome = await createTestCaller({ deny: loopback }).call(callbackTo(`http://${host}:${port}/`));
  expect(outcome).toMatchObject({
    isOk: false,
    respCode: null,
    err: expect.stringMatching(/^FORBIDDEN_NETWORK: .* is in a network that is denied here$/),
  });
  expect(connections).toBe(0);
});

test.each(['127.0.0.1', 'localhost', '127.1', '[::ffff:127.0.0.1]'])(
  'a call by rpc to %s is FORBIDDEN_NETWORK where loopback is denied, and nothing connects',
  async (host) => {
    const { port, connections } = await startTcpServer(() => undefined);
    const callback = callbackTo(`${host}:${port}/A.B`, { method: 'rpc' });
    const outcome = await createTestCaller({ deny: loopback }).call(callback);
    expect(outcome.err).toMatch(/^FORBIDDEN_NETWORK: .* is in a network that is denied here$/);
    expect(connections).toEqual([]);
  },
);

test.each(['http://127.0.0.1', 'http://localhost', 'http://127.1'])(
  '%s is called by default',
  async (url) => {
    const { port } = await startHttpServer();
    expect(await createTestCaller().call(callbackTo(`${url}:${port}/`))).toMatchObject({ isOk: true });
  },
);

test('::1 is called by its address', async () => {
  const { origin, requests } = await startHttpServer((response) => response.end('six'), '::1');
  expect(await createTestCaller().call(callbackTo(origin))).toMatchObject({ isOk: true, resp: 'six' });
  expect(requests[0]?.headers.host).toMatch(/^\[::1\]:/);
});

test('a list of allowed networks keeps calls out of all others', async () => {
  const { port } = await startHttpServer();
  const url = `http://127.0.0.1:${port}/`;
  expect(await createTestCaller({ allow: loopback }).call(callbackTo(url))).toMatchObject({ isOk: true });
  expect((await createTestCaller({ allow: ['10.0.0.0/8'] }).call(callbackTo(url))).err).toBe(
    'FORBIDDEN_NETWORK: 127.0.0.1 is in no network that is allowed here',
  );
});

test.each([
  'http://169.254.169.254/latest/meta-data/',
  'http://[::ffff:169.254.169.254]/',
  'http://100.100.100.200/',
])('%s is never called', async (url) => {
  expect((await createTestCaller().call(callbackTo(url))).err).toMatch(/^FORBIDDEN_NETWORK: /);
});

test('calls at once to one name all arrive', async () => {
  const { port, requests } = await startHttpServer();
  const caller = createTestCaller();
  const calls = Array.from({ length: 50 }, () => caller.call(callbackTo(`http://localhost:${port}/`)));
  for (const outcome of await Promise.all(calls)) expect(outcome).toMatchObject({ isOk: true });
  expect(requests).toHaveLength(50);
});
