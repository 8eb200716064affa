// What is told of a task, over real HTTP and Postgres.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { dispatchCalls } from '../../../../contracts/dispatch-api.ts';
import { runOf, useDispatchApi } from './dispatch-api.ts';
import { type StoredEvent, storeEvents } from './stored-events.ts';

const api = useDispatchApi();
const { tables } = api;
const notFound = { status: 404, reply: { code: -1, message: 'task not found...' } };
const logSchema = z.array(z.record(z.string(), z.unknown()));

function check(key: object) {
  return api.call(dispatchCalls.check, key).then(({ content }) => content);
}

async function readLog(key: object): Promise<Record<string, unknown>[]> {
  return logSchema.parse(JSON.parse((await check(key)).log));
}

function store(...events: StoredEvent[]): Promise<void> {
  return storeEvents(tables.database, events);
}

test('a task is told as the document has it', async () => {
  const id = await tables.addTask({ name: 'task1', nodes: ['123.207.136.186'], status: 4 });
  await tables.query(sql`
    update dispatch_task set created_at = '2016-08-17T18:38:17.9Z', updated_at = '2016-08-17T18:38:22Z'`);
  await tables.query(sql`
    update dispatch_node set status = 4, ok = 1, changed = 1, started_at = '2016-08-17T18:38:18Z',
      ended_at = '2016-08-17T18:38:22Z'`);
  await store({
    taskId: id,
    seq: 1,
    node: '123.207.136.186',
    startedAt: '2016-08-17T18:38:18Z',
    endedAt: '2016-08-17T18:38:20.125Z',
    detail: { module: 'command', changed: true, rc: 0, stdout: '拨测\n', host: 'evil', result: 'evil' },
  });
  expect(await api.ask('check', { id: Number(id), name: 'task1' })).toEqual({
    status: 200,
    reply: {
      code: 0,
      content: {
        create_time: 'Wed, 17 Aug 2016 18:38:17 GMT',
        err: null,
        id: Number(id),
        log: expect.any(String),
        nodes: '["123.207.136.186"]',
        status: 4,
        update_time: 'Wed, 17 Aug 2016 18:38:22 GMT',
        node_results: [
          {
            node: '123.207.136.186',
            status: 4,
            ok: 1,
            changed: 1,
            failed: 0,
            skipped: 0,
            err: null,
            start_time: 'Wed, 17 Aug 2016 18:38:18 GMT',
            end_time: 'Wed, 17 Aug 2016 18:38:22 GMT',
          },
        ],
      },
    },
  });
  expect(await readLog({ name: 'task1' })).toEqual([
    {
      host: '123.207.136.186',
      task: 'wait',
      result: 'ok',
      start: '2016-08-17T18:38:18.000Z',
      end: '2016-08-17T18:38:20.125Z',
      module: 'command',
      changed: true,
      rc: 0,
      stdout: '拨测\n',
    },
  ]);
});

test('a task that waits has no log, and its nodes in the form of Python', async () => {
  const { content } = await api.call(
    dispatchCalls.run,
    runOf('a', { nodes: ['10.0.0.2', 'fd00::1', '10.0.0.1:2222'] }),
  );
  const state = await check({ id: String(content.id) });
  expect(state).toMatchObject({
    status: 0,
    err: null,
    log: '[]',
    nodes: '["10.0.0.2", "fd00::1", "10.0.0.1:2222"]',
  });
  expect(state.node_results).toMatchObject([
    { node: '10.0.0.2', status: 0, start_time: null, end_time: null },
    { node: 'fd00::1' },
    { node: '10.0.0.1:2222' },
  ]);
  expect(state).not.toHaveProperty('children');
});

describe('a key', () => {
  test('may be an id, a name, or both of one task', async () => {
    const id = await tables.addTask({ name: 'a' });
    await tables.addTask({ name: 'b' });
    for (const key of [{ id }, { id: Number(id) }, { name: 'a' }, { id, name: 'a' }, { id: 0, name: 'a' }]) {
      expect((await check(key)).id).toBe(Number(id));
    }
    expect(await api.ask('check', { id, name: 'b' })).toEqual(notFound);
    expect(await api.ask('stop', { id, name: 'b' })).toEqual(notFound);
    expect((await tables.readTask(id)).status).toBe(0);
  });

  test.each([
    { id: 987_654_321 },
    { id: '9'.repeat(18) },
    { id: 2 ** 53 - 1 },
    { name: 'nobody' },
    { name: '__proto__' },
    { name: 'a\0' },
    { name: '\ud800' },
    { name: '\uFFFD' },
    { name: 'x'.repeat(1_000_000) },
    { name: '%' },
    { name: "' or true --" },
  ])('%# is of no task', async (key) => {
    expect(await api.ask('check', key)).toEqual(notFound);
    expect(await api.ask('stop', key)).toEqual(notFound);
  });
});

describe('a long log', () => {
  const mib = 1024 * 1024;

  test('is cut after a MiB, and says how much is missing', async () => {
    const taskId = await tables.addTask({ name: 'a' });
    const detail = { stdout: 'x'.repeat(10_000) };
    await store(...Array.from({ length: 300 }, (_, index) => ({ taskId, seq: index + 1, detail })));
    const { log } = await check({ name: 'a' });
    expect(Buffer.byteLength(log)).toBeGreaterThan(mib - 20_000);
    expect(Buffer.byteLength(log)).toBeLessThan(mib + 100);
    const entries = logSchema.parse(JSON.parse(log));
    expect(entries.at(-1)).toEqual({ omitted: 300 - (entries.length - 1) });
    expect(entries.slice(0, -1).every(({ stdout }) => stdout === detail.stdout)).toBe(true);
  });

  test('of many short steps is whole, over several pages', async () => {
    const taskId = await tables.addTask({ name: 'a' });
    const count = 1700;
    await store(
      ...Array.from({ length: count }, (_, index) => ({ taskId, seq: index + 1, action: `step ${index}` })),
    );
    const entries = await readLog({ name: 'a' });
    expect(entries.map(({ task }) => task)).toEqual(
      Array.from({ length: count }, (_, index) => `step ${index}`),
    );
  });

  test('whose first step is longer than a MiB has nothing but what is missing', async () => {
    const taskId = await tables.addTask({ name: 'a' });
    await store({ taskId, seq: 1, detail: { stdout: '拨'.repeat(mib / 2) } }, { taskId, seq: 2 });
    expect(await readLog({ name: 'a' })).toEqual([{ omitted: 2 }]);
  });
});

describe('a task of several nodes', () => {
  const nodes = ['10.0.0.2', '10.0.0.1', 'fd00::1'];

  async function addFamily() {
    const { content } = await api.call(dispatchCalls.parallelRun, runOf('a', { nodes }));
    const children = content.children.map(({ id }) => String(id));
    return {
      id: content.id,
      children,
      async end(index: number, status: number, err: string | null): Promise<void> {
        await tables.query(sql`
          with task as (
            update dispatch_task set status = ${status}, err = ${err}, updated_at = '2036-01-01'
            where id = ${children[index]} returning id)
          update dispatch_node set status = ${status}, err = ${err} from task where task_id = task.id`);
      },
    };
  }

  test('has the status, the times, the nodes and the log of its children', async () => {
    const family = await addFamily();
    expect(await check({ name: 'a' })).toMatchObject({
      id: family.id,
      status: 0,
      nodes: '["10.0.0.2", "10.0.0.1", "fd00::1"]',
      children: [{ name: '10.0.0.2_a', status: 0 }, { name: '10.0.0.1_a' }, { name: 'fd00::1_a' }],
    });
    await family.end(1, 2, null);
    expect((await check({ name: 'a' })).status).toBe(1);
    await family.end(0, 3, 'interrupted');
    await family.end(2, 2, null);
    const [first = '', , third = ''] = family.children;
    await store({ taskId: third, seq: 1, node: 'fd00::1' }, { taskId: first, seq: 1, node: '10.0.0.2' });
    const state = await check({ name: 'a' });
    expect(state).toMatchObject({
      status: 5,
      err: '10.0.0.2: interrupted',
      update_time: 'Tue, 01 Jan 2036 00:00:00 GMT',
      children: [{ status: 3 }, { status: 2 }, { status: 2 }],
    });
    expect(state.node_results.map(({ node, status, err }) => [node, status, err])).toEqual([
      ['10.0.0.2', 3, 'interrupted'],
      ['10.0.0.1', 2, null],
      ['fd00::1', 2, null],
    ]);
    expect((await readLog({ name: 'a' })).map(({ host }) => host)).toEqual(['10.0.0.2', 'fd00::1']);
  });

  test('has children that are tasks like others', async () => {
    const family = await addFamily();
    const state = await check({ name: '10.0.0.1_a' });
    expect(state).toMatchObject({ id: Number(family.children[1]), nodes: '["10.0.0.1"]', status: 0 });
    expect(state).not.toHaveProperty('children');
  });
});
