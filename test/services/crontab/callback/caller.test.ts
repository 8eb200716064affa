// One caller and many calls: at once, given up, at the end of the process, and where they may go.
import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { type CallbackOutcome, failed } from '../../../../services/crontab/callback/callback.ts';
import { maxConnectionsPerTarget } from '../../../../services/crontab/callback/http-call.ts';
import { callbackTo, createTestCaller, startHttpServer, startTcpServer } from './callback-setup.ts';

test('1,000 calls at once each arrive once and get their own reply', async () => {
  const { origin, requests } = await startHttpServer((response, { body }) => response.end(`re ${body}`));
  const caller = createTestCaller();
  const { signal } = new AbortController();
  const bodies = Array.from({ length: 1000 }, (_, index) => `${index}`);
  const outcomes = await Promise.all(bodies.map((body) => caller.call(callbackTo(origin, { body }), signal)));
  expect(outcomes.map(({ resp }) => resp)).toEqual(bodies.map((body) => `re ${body}`));
  expect(requests.map(({ body }) => body).toSorted()).toEqual(bodies.toSorted());
  const connections = new Set(requests.map(({ clientPort }) => clientPort));
  expect(connections.size).toBeLessThanOrEqual(maxConnectionsPerTarget);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
});

test('a call that gets no connection in time is never sent', async () => {
  const { origin, requests, server } = await startHttpServer((response, { body }) => {
    if (body !== '"hold"') response.end();
  });
  const caller = createTestCaller();
  const holders = new AbortController();
  let arrived = 0;
  const allArrived = new Promise<void>((resolve) => {
    server.on('request', () => {
      arrived++;
      if (arrived === maxConnectionsPerTarget) resolve();
    });
  });
  const held = Array.from({ length: maxConnectionsPerTarget }, () =>
    caller.call(callbackTo(origin, { body: '"hold"' }), holders.signal),
  );
  await allArrived;
  const late = await caller.call(callbackTo(origin, { body: '"late"', timeoutMs: 50 }));
  expect(late.err).toBe('TIMEOUT: no connection, nothing was sent (after 50 ms)');
  // It waits behind the late one.
  const next = caller.call(callbackTo(origin, { body: '"next"' }));
  holders.abort();
  expect(await next).toMatchObject({ isOk: true });
  for (const { err } of await Promise.all(held)) expect(err).toBe('ABORTED: no reply (given up)');
  expect(requests.filter(({ body }) => body !== '"hold"').map(({ body }) => body)).toEqual(['"next"']);
});

test('a signal ends its own calls and no others', async () => {
  const { port, connections } = await startTcpServer((connection) => connection.resume());
  const caller = createTestCaller();
  const [mine, other] = [new AbortController(), new AbortController()];
  const urls = [`http://127.0.0.1:${port}/`, `http://127.0.0.1:${port}/`];
  const calls = urls.map((url) => caller.call(callbackTo(url), mine.signal));
  const rpc = caller.call(callbackTo(`127.0.0.1:${port}/A.B`, { method: 'rpc' }), mine.signal);
  let isOtherOver = false;
  const others = caller.call(callbackTo(urls[0] ?? ''), other.signal).then((outcome) => {
    isOtherOver = true;
    return outcome;
  });
  await expect.poll(() => connections.length).toBe(4);
  mine.abort();
  for (const outcome of await Promise.all([...calls, rpc])) expect(outcome.err).toMatch(/^ABORTED: /);
  expect(isOtherOver).toBe(false);
  other.abort();
  expect((await others).err).toMatch(/^ABORTED: /);
});

test('a signal that was raised before lets nothing be sent', async () => {
  const { origin, requests } = await startHttpServer();
  const outcome = await createTestCaller().call(callbackTo(origin), AbortSignal.abort());
  expect(outcome).toEqual(failed('ABORTED', 'given up before it began'));
  expect(requests).toEqual([]);
});

test('a stop gives up what is under way, closes the connections, and refuses later calls', async () => {
  const { port, connections } = await startTcpServer((connection) => connection.resume());
  const caller = createTestCaller();
  const under: Promise<CallbackOutcome>[] = [
    caller.call(callbackTo(`http://127.0.0.1:${port}/`)),
    caller.call(callbackTo(`127.0.0.1:${port}/A.B`, { method: 'rpc' })),
  ];
  await expect.poll(() => connections.length).toBe(2);
  await Promise.all([caller.stop(), caller.stop()]);
  for (const outcome of await Promise.all(under)) expect(outcome.err).toMatch(/^ABORTED: /);
  await expect.poll(() => connections.every(({ destroyed }) => destroyed)).toBe(true);
  expect((await caller.call(callbackTo(`http://127.0.0.1:${port}/`))).err).toMatch(/^ABORTED: /);
});

test.each([
  ['post', 'ftp://127.0.0.1/'],
  ['rpc', '127.0.0.1/A.B'],
  ['nats', 'probe.agent.a.order'],
] as const)('a stored %s callback to %s is a BAD_CALLBACK', async (method, url) => {
  expect(await createTestCaller().call(callbackTo(url, { method }))).toMatchObject({
    isOk: false,
    err: expect.stringMatching(/^BAD_CALLBACK: the url /),
  });
});

test('a stored form that cannot be sent is a BAD_CALLBACK', async () => {
  const { origin, requests } = await startHttpServer();
  const outcome = await createTestCaller().call(callbackTo(origin, { body: '{"a":{}}', bodyType: 2 }));
  expect(outcome.err).toMatch(/^BAD_CALLBACK: the body has a nested value/);
  expect(requests).toEqual([]);
});
