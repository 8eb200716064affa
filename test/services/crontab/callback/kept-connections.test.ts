// Connections that stay open between calls: used again, and a request that meets their end is neither lost nor doubled.
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { callbackTo, createTestCaller, startHttpServer, startTcpServer } from './callback-setup.ts';

const reply = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';

test('calls one after the other share connections', async () => {
  const { origin, requests } = await startHttpServer();
  const caller = createTestCaller();
  for (let index = 0; index < 5; index++) await caller.call(callbackTo(origin, { body: `${index}` }));
  expect(requests.map(({ body }) => body)).toEqual(['0', '1', '2', '3', '4']);
  expect(new Set(requests.map(({ clientPort }) => clientPort)).size).toBeLessThan(3);
});

test('a server that closes its idle connection is called over another, once', async () => {
  const { origin, requests, server } = await startHttpServer();
  const caller = createTestCaller();
  for (let index = 0; index < 5; index++) {
    expect(await caller.call(callbackTo(origin))).toMatchObject({ isOk: true });
    server.closeIdleConnections();
  }
  expect(requests).toHaveLength(5);
  expect(new Set(requests.map(({ clientPort }) => clientPort)).size).toBe(5);
});

test('a server that closes when the next request comes fails that call, and gets it once', async () => {
  let received = 0;
  const { port, connections } = await startTcpServer((connection: Socket) => {
    connection.on('data', () => {
      received++;
      if (received === 2) connection.destroy();
      else connection.write(reply);
    });
  });
  const caller = createTestCaller();
  const callback = callbackTo(`http://127.0.0.1:${port}/`, { body: '{}' });
  expect(await caller.call(callback)).toMatchObject({ isOk: true });
  expect(await caller.call(callback)).toMatchObject({
    isOk: false,
    err: expect.stringMatching(/^NETWORK_ERROR: the connection was (closed|reset) before the reply/),
  });
  expect(received).toBe(2);
  expect(await caller.call(callback)).toMatchObject({ isOk: true });
  expect(connections).toHaveLength(2);
});

test('what comes after a complete reply is not taken for the reply to the next call', async () => {
  const { port, connections } = await startTcpServer((connection) =>
    connection.once('data', () =>
      connection.write(`${reply}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nfake`),
    ),
  );
  const caller = createTestCaller();
  const url = `http://127.0.0.1:${port}/`;
  expect(await caller.call(callbackTo(url))).toMatchObject({ resp: 'ok' });
  expect(await caller.call(callbackTo(url))).toMatchObject({ resp: 'ok' });
  expect(connections).toHaveLength(2);
});

test('a call at its deadline takes its connection with it', async () => {
  const { port, connections } = await startTcpServer(() => undefined);
  const caller = createTestCaller();
  const outcome = await caller.call(callbackTo(`http://127.0.0.1:${port}/`, { timeoutMs: 100 }));
  expect(outcome.err).toMatch(/^TIMEOUT: /);
  connections[0]?.resume();
  await expect.poll(() => connections[0]?.destroyed).toBe(true);
});
