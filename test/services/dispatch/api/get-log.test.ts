// Lines of what Ansible did on a node, over real HTTP and Postgres.
import { describe, expect, test } from 'vitest';
import { dispatchCalls } from '../../../../contracts/dispatch-api.ts';
import { exampleHeaders, useDispatchApi } from './dispatch-api.ts';
import { type StoredEvent, storeEvents } from './stored-events.ts';

const api = useDispatchApi();
const { tables } = api;
const notFound = { status: 404, reply: { code: -1, message: 'task not found...' } };

function store(...events: StoredEvent[]): Promise<void> {
  return storeEvents(tables.database, events);
}

/** What stands after `host = `. */
async function ends(body: object, headers?: Record<string, string>): Promise<string[]> {
  const lines = await api.call(dispatchCalls.getlog, { source: 'hubble', ...body }, headers);
  return lines.map((line) => line.slice(line.indexOf('host = ') + 7));
}

test('a line is that of the document, to the letter', async () => {
  await store({ taskId: await tables.addTask(), seq: 1 });
  const response = await api.post('/api/getlog', '{"host":"127.0.0.1","source":"hubble"}');
  expect(response).toEqual({
    status: 200,
    reply: [
      'global_id = 16-16, source = hubble, create_time = 2017-07-27T16:37:04Z, end_time = 2017-07-27T16:37:05Z, host = 127.0.0.1, reuslt = ok',
    ],
  });
});

test('lines come by task, in the order in which steps ended', async () => {
  const [first, second] = [await tables.addTask(), await tables.addTask()];
  await store(
    { taskId: second, seq: 1, result: 'unreachable' },
    { taskId: first, seq: 10, result: 'failed' },
    { taskId: first, seq: 9, result: 'skipped', startedAt: '2030-01-01T00:00:00Z' },
    { taskId: first, seq: 1 },
  );
  expect(await ends({ host: '127.0.0.1' })).toEqual([
    '127.0.0.1, reuslt = ok',
    '127.0.0.1, reuslt = skipped',
    '127.0.0.1, reuslt = failed',
    '127.0.0.1, reuslt = unreachable',
  ]);
});

test('only lines of this id, this source and this host come', async () => {
  const taskId = await tables.addTask();
  await store(
    { taskId, seq: 1, globalId: '16-17' },
    { taskId, seq: 2, source: 'orion' },
    { taskId, seq: 3, node: '127.0.0.2' },
    { taskId, seq: 4, globalId: '拨测', source: 'a, host = 127.0.0.1', result: 'skipped' },
  );
  expect(await api.ask('getlog', { host: '127.0.0.1', source: 'hubble' })).toEqual(notFound);
  const headers = { ...exampleHeaders, 'X-CORRELATION-ID': Buffer.from('拨测').toString('latin1') };
  expect(
    await api.call(dispatchCalls.getlog, { host: '127.0.0.1', source: 'a, host = 127.0.0.1' }, headers),
  ).toEqual([
    'global_id = 拨测, source = a, host = 127.0.0.1, create_time = 2017-07-27T16:37:04Z, end_time = 2017-07-27T16:37:05Z, host = 127.0.0.1, reuslt = skipped',
  ]);
});

test('the source of the request itself does not matter', async () => {
  await store({ taskId: await tables.addTask(), seq: 1 });
  const headers = { 'X-CORRELATION-ID': '16-16', 'X-SOURCE': 'orion' };
  expect(await ends({ host: '127.0.0.1' }, headers)).toEqual(['127.0.0.1, reuslt = ok']);
});

describe('a host', () => {
  test.each([
    ['10.0.0.1', '10.0.0.1', ['ok', 'failed']],
    ['10.0.0.1:2222', '10.0.0.1:2222', ['failed']],
    ['::ffff:10.0.0.1', '10.0.0.1', ['ok', 'failed']],
    ['FD00:0::1', 'fd00::1', ['skipped', 'unreachable']],
    ['[fd00::1]:23', '[fd00::1]:23', ['unreachable']],
  ] as const)('%s means %s, and all of its ports unless it has one', async (host, shown, results) => {
    const taskId = await tables.addTask();
    const stored = ['10.0.0.1', '10.0.0.1:2222', 'fd00::1', '[fd00::1]:23'];
    const all = ['ok', 'failed', 'skipped', 'unreachable'] as const;
    await store(...stored.map((node, seq) => ({ taskId, seq, node, result: all[seq] ?? 'ok' })));
    expect(await ends({ host })).toEqual(results.map((result) => `${shown}, reuslt = ${result}`));
  });

  test.each(['10.0.0.2', '10.0.0.1:23', 'nobody', '%', '10.0.0.1\0', '\ud800'])(
    '%j has none',
    async (host) => {
      await store({ taskId: await tables.addTask(), seq: 1, node: '10.0.0.1' });
      expect(await api.ask('getlog', { host, source: 'hubble' })).toEqual(notFound);
    },
  );
});

test.each(['\0', 'hubble\0', '\ud800', 'x'.repeat(100_000)])('no task has source %#', async (source) => {
  expect(await api.ask('getlog', { host: '127.0.0.1', source })).toEqual(notFound);
});

test('of very many lines the first ten thousand come', async () => {
  const taskId = await tables.addTask();
  await store(...Array.from({ length: 10_001 }, (_, index) => ({ taskId, seq: index + 1 })));
  expect(await ends({ host: '127.0.0.1' })).toHaveLength(10_000);
});

test.each([
  [{}, 'host: is missing; source: is missing'],
  [{ host: '', source: 7 }, 'host: is empty; source: Invalid input: expected string, received number'],
])('%j is no request', async (body, faults) => {
  expect(await api.ask('getlog', body)).toEqual({
    status: 400,
    reply: { code: -1, message: `param error, error: ${faults}` },
  });
});
