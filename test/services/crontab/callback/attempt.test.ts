// Deadlines of a process that was kept from reading, and signals that outlive the calls that listened to them.
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { createAbortGroups, runAttempt } from '../../../../services/crontab/callback/attempt.ts';
import { failed } from '../../../../services/crontab/callback/callback.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { callbackTo, createTestCaller } from './callback-setup.ts';

/** Tells when a request has come, and answers it when the flag is raised: from a thread that a busy test leaves alone. */
const server = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer((connection) => {
    connection.on('error', () => connection.destroy());
    connection.once('data', () => {
      parentPort.postMessage('asked');
      Atomics.wait(workerData, 0, 0);
      connection.write('HTTP/1.1 200 OK\\r\\ncontent-length: 7\\r\\n\\r\\nin time');
    });
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;

test('a reply that came in time counts though the process was busy beyond the deadline', async () => {
  const flag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(server, { eval: true, workerData: flag });
  keepUntilTestEnd({ stop: () => worker.terminate() });
  const [port] = await once(worker, 'message');
  const call = createTestCaller().call(callbackTo(`http://127.0.0.1:${port}/`, { timeoutMs: 400 }));
  const busyUntilMs = performance.now() + 600;
  await once(worker, 'message');
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
  while (performance.now() < busyUntilMs);
  expect(await call).toMatchObject({ isOk: true, resp: 'in time' });
});

test('who left a group hears nothing of its signal, all others do', () => {
  const groups = createAbortGroups();
  const controller = new AbortController();
  const heard: string[] = [];
  const [first, second] = ['first', 'second'].map((name) => () => void heard.push(name));
  if (first === undefined || second === undefined) throw new Error('there are two');
  groups.join(controller.signal, first);
  groups.join(controller.signal, second);
  groups.leave(controller.signal, first);
  controller.abort();
  expect(heard).toEqual(['second']);
});

test('a call that is over has left the groups of all its signals', async () => {
  const joined = new Set<AbortSignal>();
  const groups = {
    join: (signal: AbortSignal) => void joined.add(signal),
    leave: (signal: AbortSignal) => void joined.delete(signal),
  };
  const signals = [new AbortController().signal, new AbortController().signal];
  const outcome = failed('NO_MATCH', 'no');
  const attempt = runAttempt({ timeoutMs: 10_000, signals, groups }, (settle) => {
    setImmediate(() => {
      expect([...joined]).toEqual(signals);
      settle(outcome);
    });
    return () => failed('ABORTED', 'not here');
  });
  expect(await attempt).toBe(outcome);
  expect([...joined]).toEqual([]);
});
