// list_task over real HTTP and Postgres: what is told of a task, filters, and pages.
import { describe, expect, test } from 'vitest';
import { useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();
const { tables } = api;

async function listNames(request: object) {
  const { task_list: tasks } = await api.call('listTask', request);
  return tasks.map(({ name }) => name);
}

test('all of a task is told but its secret', async () => {
  const secret = `whsec_${'A'.repeat(32)}`;
  const nextAt = Date.parse('2099-01-01T00:00:00Z');
  const lastAt = Date.parse('2026-09-20T04:00:01Z');
  const id = await tables.addTask({ name: 'a', secret, tags: ['x', 'y'], timeout_ms: 250, nextAt, lastAt });
  const { created_at, updated_at } = await tables.readTask(id);
  const { status, reply } = await api.ask('listTask', {});
  expect({ status, reply }).toEqual({
    status: 200,
    reply: {
      state: 0,
      msg: '',
      data: {
        task_list: [
          {
            task_id: id,
            name: 'a',
            enable: 1,
            module: 1,
            type: 2,
            start_time: '@every 1m',
            time_zone: 'Asia/Shanghai',
            url: 'http://127.0.0.1:9/',
            method: 'post',
            resp_regexp: '',
            body: '',
            body_type: 1,
            redo_param: '',
            tags: ['x', 'y'],
            timeout: 0.25,
            overlap: 'skip',
            misfire: 'fire',
            misfire_window: 3600,
            delivery: 'at_least_once',
            has_secret: true,
            next_time: '2099-01-01T00:00:00.000Z',
            last_time: '2026-09-20T04:00:01.000Z',
            created_time: created_at.toISOString(),
            updated_time: updated_at.toISOString(),
          },
        ],
        next_cursor: null,
      },
    },
  });
  expect(JSON.stringify(reply)).not.toContain(secret);
});

test('a task without a time ahead, or behind, has empty ones', async () => {
  await tables.addTask({ enable: 2 });
  const { task_list: tasks } = await api.call('listTask', {});
  expect(tasks).toMatchObject([{ next_time: '', last_time: '', has_secret: false }]);
});

describe('filters', () => {
  test.each<[object, string[]]>([
    [{}, ['Probe_1', 'probe%2', 'a\\b', '探测']],
    [{ name: 'PROBE' }, ['Probe_1', 'probe%2']],
    [{ name: '_' }, ['Probe_1']],
    [{ name: '%' }, ['probe%2']],
    [{ name: '\\' }, ['a\\b']],
    [{ name: '测' }, ['探测']],
    [{ name: 'probe', module: 2 }, ['probe%2']],
    [{ name: '' }, ['Probe_1', 'probe%2', 'a\\b', '探测']],
    [
      { name: null, module: null, type: null, enable: null, tag: null, limit: null, cursor: '' },
      ['Probe_1', 'probe%2', 'a\\b', '探测'],
    ],
    [{ module: 2 }, ['probe%2', '探测']],
    [{ type: 4 }, ['a\\b']],
    [{ enable: 2 }, ['探测']],
    [{ tag: 'x' }, ['Probe_1', 'a\\b']],
    [{ tag: 'X' }, []],
    [{ tag: 'x', type: 4 }, ['a\\b']],
    [{ name: "' or true --" }, []],
  ])('%j finds %j', async (request, names) => {
    await tables.addTask({ name: 'Probe_1', tags: ['x'] });
    await tables.addTask({ name: 'probe%2', module: 2 });
    await tables.addTask({ name: 'a\\b', type: 4, tags: ['y', 'x'] });
    await tables.addTask({ name: '探测', module: 2, enable: 2 });
    expect(await listNames(request)).toEqual(names);
  });
});

describe('pages', () => {
  test('follow each other in the order of the ids, whatever is added or deleted meanwhile', async () => {
    for (let index = 0; index < 5; index += 1) await tables.addTask({ name: `n${index}` });
    const first = await api.call('listTask', { limit: 2 });
    expect(first.task_list.map(({ name }) => name)).toEqual(['n0', 'n1']);
    await api.call('deleteTask', { task_list: [{ name: 'n1' }, { name: 'n2' }] });
    await tables.addTask({ name: 'n5' });
    const second = await api.call('listTask', { limit: 2, cursor: first.next_cursor });
    expect(second.task_list.map(({ name }) => name)).toEqual(['n3', 'n4']);
    const third = await api.call('listTask', { limit: 2, cursor: second.next_cursor });
    expect(third.task_list.map(({ name }) => name)).toEqual(['n5']);
    expect(third.next_cursor).toBe(null);
  });

  test('end with null where the last one is just full', async () => {
    for (let index = 0; index < 4; index += 1) await tables.addTask();
    const first = await api.call('listTask', { limit: 2 });
    const second = await api.call('listTask', { limit: 2, cursor: first.next_cursor });
    expect([second.task_list.length, second.next_cursor]).toEqual([2, null]);
  });

  test('end early where the bodies fill a reply', async () => {
    for (let index = 0; index < 80; index += 1) await tables.addTask({ body: 'x'.repeat(65_536) });
    const sizes: number[] = [];
    let cursor: string | null = null;
    do {
      const page: { task_list: unknown[]; next_cursor: string | null } = await api.call('listTask', {
        limit: 100,
        cursor,
      });
      sizes.push(page.task_list.length);
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(sizes).toEqual([64, 16]);
  });

  test.each(['x', 'e30', Buffer.from('["1 or true"]').toString('base64url')])(
    'that begin at %j are refused',
    async (cursor) => {
      expect(await api.ask('listTask', { cursor })).toEqual({
        status: 400,
        reply: { state: 1, msg: 'cursor: expected a cursor as a reply gave it', data: {} },
      });
    },
  );
});
