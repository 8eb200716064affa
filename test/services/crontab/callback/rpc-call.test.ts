// Callbacks by JSON-RPC, against Go's own server and against servers that misbehave.
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Callback } from '../../../../services/crontab/callback/caller.ts';
import { callbackTo, createTestCaller, findClosedPort, startTcpServer } from './callback-setup.ts';
import { findRpcServers, type RpcServer } from './rpc-servers.ts';

function call(port: number, method: string, fields: Partial<Callback> = {}) {
  return createTestCaller().call(callbackTo(`127.0.0.1:${port}/${method}`, { method: 'rpc', ...fields }));
}

describe.each(await findRpcServers())('$name', ({ start }) => {
  let server: RpcServer;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server.stop());

  test.each([
    ['Arith.Mul', '{"a":6,"b":7}', '42'],
    ['Arith.Mul', '{"a":3037000500,"b":3037000499}', '9223372033963249500'],
    ['Arith.Mul', '', '0'],
    ['Text.Echo', '{"<a>": "中&\\u0000"}', '{"given":{"<a>":"中&\\u0000"}}'],
  ])('%s of %s is %s', async (method, body, resp) => {
    expect(await call(server.port, method, { body })).toEqual({
      isOk: true,
      resp,
      respCode: null,
      err: '',
    });
  });

  test.each([
    ['Arith.Div', '{"a":6,"b":0}', 'divide by zero'],
    ['Arith.Nope', '', "rpc: can't find method Arith.Nope"],
    ['Nope.X', '', "rpc: can't find service Nope.X"],
    ['Arith.Mul', '"text"', 'json: cannot unmarshal string into Go value of type main.Args'],
  ])('%s of %s is an RPC_ERROR: %s', async (method, body, reason) => {
    expect(await call(server.port, method, { body })).toMatchObject({
      isOk: false,
      err: `RPC_ERROR: ${reason}`,
    });
  });

  test('a body that is not JSON closes the connection', async () => {
    expect((await call(server.port, 'Text.Echo', { body: '{"a":' })).err).toBe(
      'NETWORK_ERROR: the server closed the connection without a reply',
    );
  });

  test('a reply over 64 KiB is a BAD_REPLY with its beginning', async () => {
    const outcome = await call(server.port, 'Text.Repeat', { body: '70000' });
    expect(outcome).toMatchObject({ isOk: false, err: 'BAD_REPLY: the reply is over 65536 octets' });
    const start = '{"id":0,"result":"';
    expect(outcome.resp.slice(0, 20)).toBe(`${start}xx`);
    expect(outcome.resp.slice(65_535)).toBe('x\n…(cut after 64 KiB)');
  });

  test.each([
    ['^4.$', ''],
    ['43', 'NO_MATCH: the result does not match resp_regexp'],
  ])('the result is held against resp_regexp %j', async (respRegexp, err) => {
    const outcome = await call(server.port, 'Arith.Mul', { body: '{"a":6,"b":7}', respRegexp });
    expect(outcome).toEqual({ isOk: err === '', resp: '42', respCode: null, err });
  });
});

/** A server that sends this after each line, and closes when told to. */
function startServer(reply: string, { closes = false } = {}) {
  return startTcpServer((connection) => {
    createInterface(connection).on('line', () => (closes ? connection.end(reply) : connection.write(reply)));
  });
}

test('each call has a connection of its own, which is closed after it', async () => {
  const { port, connections } = await startServer('{"id":0,"result":1,"error":null}\n');
  for (let index = 0; index < 3; index++) expect(await call(port, 'A.B')).toMatchObject({ isOk: true });
  expect(connections).toHaveLength(3);
  await expect.poll(() => connections.every(({ destroyed }) => destroyed)).toBe(true);
});

test.each([
  ['{"id":0,"result":1}\n', '1'],
  ['{"id":0,"error":null}\n', 'null'],
  ['{"id":0,"result":1.50,"error":null}\r\n{"id":1}\n', '1.50'],
])('a reply %j is a success', async (reply, resp) => {
  const { port } = await startServer(reply);
  expect(await call(port, 'A.B')).toEqual({ isOk: true, resp, respCode: null, err: '' });
});

test('a reply without a newline ends with its connection', async () => {
  const { port } = await startServer('{"id":0,"result":1,"error":null}', { closes: true });
  expect(await call(port, 'A.B')).toMatchObject({ isOk: true, resp: '1' });
});

test('a reply that comes octet by octet is put together', async () => {
  const reply = Buffer.from('{"id":0,"result":"中文","error":null}\n');
  const { port } = await startTcpServer((connection) => {
    connection.setNoDelay(true);
    const sendFrom = (index: number): void => {
      if (index < reply.length) connection.write(reply.subarray(index, index + 1), () => sendFrom(index + 1));
    };
    connection.once('data', () => sendFrom(0));
  });
  expect(await call(port, 'A.B')).toMatchObject({ isOk: true, resp: '"中文"' });
});

test.each([
  ['garbage\n', /^BAD_REPLY: not JSON: /, 'garbage'],
  ['\n', /^BAD_REPLY: not JSON: /, ''],
  ['[1]\n', /^BAD_REPLY: not a JSON-RPC reply$/, '[1]'],
  ['{"id":1,"result":1,"error":null}\n', /^BAD_REPLY: a reply to another request$/, /"id":1/],
  ['{"id":"0","result":1,"error":null}\n', /^BAD_REPLY: a reply to another request$/, /"id":"0"/],
  ['{"result":1}\n', /^BAD_REPLY: a reply to another request$/, /"result"/],
  ['{"id":0,"result":null,"error":{"code":7}}\n', /^RPC_ERROR: \{"code":7\}$/, /"code"/],
])('a reply %j is a failure', async (reply, err, resp) => {
  const { port } = await startServer(reply);
  expect(await call(port, 'A.B')).toEqual({
    isOk: false,
    resp: expect.stringMatching(resp),
    respCode: null,
    err: expect.stringMatching(err),
  });
});

test('a reply that is cut short is a BAD_REPLY', async () => {
  const { port } = await startServer('{"id":0,"res', { closes: true });
  expect((await call(port, 'A.B')).err).toMatch(/^BAD_REPLY: not JSON: /);
});

test('a server that never answers is a TIMEOUT at the deadline', async () => {
  const { port, connections } = await startTcpServer((connection) => connection.resume());
  expect((await call(port, 'A.B', { timeoutMs: 100 })).err).toBe('TIMEOUT: no complete reply (after 100 ms)');
  await expect.poll(() => connections[0]?.destroyed).toBe(true);
});

test('a server that never ends its line is a TIMEOUT with what had come', async () => {
  const { port } = await startServer('{"id":0,');
  expect(await call(port, 'A.B', { timeoutMs: 100 })).toMatchObject({
    isOk: false,
    resp: '{"id":0,',
    err: 'TIMEOUT: no complete reply (after 100 ms)',
  });
});

test('a server that pours out a line without end is cut off', async () => {
  const { port, connections } = await startTcpServer((connection) => {
    const pour = () => {
      while (connection.write('x'.repeat(10_000)));
    };
    connection.on('drain', pour);
    pour();
  });
  expect((await call(port, 'A.B')).err).toBe('BAD_REPLY: the reply is over 65536 octets');
  await expect.poll(() => connections[0]?.destroyed).toBe(true);
});

test('a server that resets the connection is a NETWORK_ERROR', async () => {
  const { port } = await startTcpServer((connection) =>
    connection.once('data', () => connection.resetAndDestroy()),
  );
  expect((await call(port, 'A.B')).err).toBe(
    'NETWORK_ERROR: the connection was reset before the reply was complete',
  );
});

test('a port on which nobody listens is CONN_REFUSED', async () => {
  expect((await call(await findClosedPort(), 'A.B')).err).toBe('CONN_REFUSED: nobody listens there');
});

test('a name that does not exist is said to be a fault of DNS', async () => {
  const outcome = await createTestCaller().call(callbackTo('no-such-host.invalid:1/A.B', { method: 'rpc' }));
  expect(outcome.err).toMatch(/^NETWORK_ERROR: DNS: /);
});
