// update_task over real HTTP and Postgres: what changes, and what does not.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();
const { tables } = api;

/** The results, item by item. */
async function update(...items: unknown[]) {
  const { task_result: results } = await api.call('updateTask', { task_list: items });
  expect(results).toHaveLength(items.length);
  return results;
}

describe('a task', () => {
  test('is found by its id, as number or text, before its name', async () => {
    const [a, b] = [await tables.addTask({ name: 'a' }), await tables.addTask({ name: 'b' })];
    expect(
      await update(
        { task_id: Number(a), name: 'b', module: 5 },
        { task_id: a, body: '5' },
        { name: 'b', module: 6 },
        { task_id: 0, name: 'b', body: '6' },
        { task_id: '', name: 'b', timeout: 6 },
        { task_id: -1, name: 'b', redo_param: '6' },
      ),
    ).toEqual([
      { task_id: a, name: 'a', err: '', state: 0 },
      { task_id: a, name: 'a', err: '', state: 0 },
      { task_id: b, name: 'b', err: '', state: 0 },
      { task_id: b, name: 'b', err: '', state: 0 },
      { task_id: b, name: 'b', err: '', state: 0 },
      { task_id: b, name: 'b', err: '', state: 0 },
    ]);
    expect(await tables.readTask(a)).toMatchObject({ name: 'a', module: 5, body: '5' });
    expect(await tables.readTask(b)).toMatchObject({
      name: 'b',
      module: 6,
      body: '6',
      timeout_ms: 6000,
      redo_param: '6',
    });
  });

  test('changes in the fields that are given, and in no other', async () => {
    const id = await tables.addTask({ tags: ['a'], secret: `whsec_${'A'.repeat(32)}`, redo_param: '2 4' });
    const before = await tables.readTask(id);
    await update({
      task_id: id,
      url: 'https://other.example/b',
      method: 'GET',
      tags: ['x', 'y'],
      secret: '',
    });
    expect(await tables.readTask(id)).toEqual({
      ...before,
      url: 'https://other.example/b',
      method: 'get',
      tags: ['x', 'y'],
      secret: '',
      target: 'https://other.example:443',
      updated_at: expect.any(Date),
    });
    expect((await tables.readTask(id)).updated_at.getTime()).toBeGreaterThan(before.updated_at.getTime());
  });

  test('takes every field that add_task takes', async () => {
    const id = await tables.addTask();
    const fields = {
      enable: 1,
      module: 9,
      type: 4,
      start_time: '0 30 9 * * *',
      time_zone: 'UTC',
      url: 'callback.example:80/Handler.Do',
      method: 'rpc',
      resp_regexp: 'ok',
      body: '[1]',
      body_type: 1,
      redo_param: '1',
      tags: ['t'],
      overlap: 'allow',
      misfire: 'skip',
      misfire_window: 5,
      delivery: 'at_most_once',
      secret: `whsec_${'B'.repeat(32)}`,
    };
    expect(await update({ task_id: id, ...fields, timeout: 3 })).toMatchObject([{ err: '' }]);
    expect(await tables.readTask(id)).toMatchObject({
      ...fields,
      timeout_ms: 3000,
      target: 'tcp://callback.example:80',
    });
  });

  test('given twice changes in the order of the list', async () => {
    const id = await tables.addTask({ name: 'a' });
    await update({ task_id: id, module: 1, body: '1' }, { name: 'a', module: 2 }, { task_id: id, module: 3 });
    expect(await tables.readTask(id)).toMatchObject({ module: 3, body: '1' });
  });
});

describe('a fault', () => {
  test.each<[string, object, number, string | RegExp]>([
    ['an id that nobody has', { task_id: 999_999_999 }, 5, 'task_id: there is no task 999999999'],
    ['a name that nobody has', { name: 'nobody' }, 5, 'name: there is no task of this name'],
    ['neither id nor name', {}, 5, 'task_id: expected a task_id or a name'],
    ['an id that is none, and no name', { task_id: 0, name: '' }, 5, 'task_id: expected a task_id or a name'],
    ['an id beyond bigint', { task_id: 2 ** 70 }, 5, 'task_id: expected a task id as add_task gave it'],
    ['an id of digits beyond bigint', { task_id: '9'.repeat(19) }, 5, /^task_id: expected a task id/],
    ['an id with a fraction', { task_id: 1.5 }, 5, /^task_id: expected a task id/],
    ['an id that is no number', { task_id: "1' or true --" }, 5, /^task_id: expected a task id/],
    ['a name with a NUL', { name: 'a\0' }, 5, 'name: has control characters'],
  ])('is told: %s', async (_, key, state, err) => {
    const [result] = await update({ ...key, module: 5 });
    expect(result).toMatchObject({ state, err: typeof err === 'string' ? err : expect.stringMatching(err) });
  });

  test.each<[string, object, number, string | RegExp]>([
    ['nothing that changes', {}, 1, 'task: expected a field that changes'],
    ['a field of another type', { module: 'x' }, 1, /^module: /],
    ['an unknown type', { type: 0 }, 2, 'type: expected a number from 1 to 7'],
    ['a type that the stored start_time contradicts', { type: 5 }, 2, /^type: /],
    ['a start_time that the stored type contradicts', { start_time: 4_000_000_000 }, 2, /^type: /],
    [
      'a time that never comes',
      { type: 6, start_time: '0 0 0 30 2 *' },
      3,
      'start_time: such a time never comes',
    ],
    ['a time long past', { type: 1, start_time: 1_000_000_000 }, 3, 'start_time: lies in the past'],
    ['a method that the stored url contradicts', { method: 'rpc' }, 4, /^url: is not of the form host:port/],
    ['a body that its type contradicts', { body: '<a>' }, 4, /^body: is not JSON/],
    ['the name of another task', { new_name: 'other' }, 5, 'name: another task has this name'],
    ['no name at all', { new_name: '' }, 5, 'new_name: expected a name'],
  ])('leaves the task as it is: %s', async (_, change, state, err) => {
    await tables.addTask({ name: 'other' });
    const id = await tables.addTask();
    const before = await tables.readTask(id);
    const [result] = await update({ task_id: id, ...change });
    expect(result).toMatchObject({ state, err: typeof err === 'string' ? err : expect.stringMatching(err) });
    expect(await tables.readTask(id)).toEqual(before);
  });

  test('leaves the other items alone', async () => {
    const id = await tables.addTask();
    const results = await update(
      { task_id: 1 },
      null,
      { task_id: id, module: 77 },
      { task_id: id, url: 'x' },
    );
    expect(results.map(({ state }) => state)).toEqual([5, 1, 0, 4]);
    expect((await tables.readTask(id)).module).toBe(77);
  });
});

describe('a name', () => {
  test('is changed by new_name, and the id stays', async () => {
    const id = await tables.addTask({ name: 'a' });
    expect(await update({ name: 'a', new_name: 'b', module: 3 })).toEqual([
      { task_id: id, name: 'b', err: '', state: 0 },
    ]);
    expect(await tables.readTask(id)).toMatchObject({ name: 'b', module: 3 });
  });

  test('may be the one that the task has', async () => {
    const id = await tables.addTask({ name: 'a' });
    expect(await update({ task_id: id, new_name: 'a' })).toMatchObject([{ err: '' }]);
  });

  test('that one task gives up is free for the next, also in a ring', async () => {
    const ids = [await tables.addTask({ name: 'a' }), await tables.addTask({ name: 'b' })];
    const results = await update(
      { name: 'a', new_name: 'spare' },
      { name: 'b', new_name: 'a' },
      { name: 'a', new_name: 'c' },
      { name: 'spare', new_name: 'b' },
      { name: 'c', new_name: 'a' },
      { name: 'spare', new_name: 'd' },
    );
    expect(results.map(({ task_id: id, state }) => [id, state])).toEqual([
      [ids[0], 0],
      [ids[1], 0],
      [ids[1], 0],
      [ids[0], 0],
      [ids[1], 0],
      ['', 5],
    ]);
    expect((await tables.readTask(ids[0] ?? '')).name).toBe('b');
    expect((await tables.readTask(ids[1] ?? '')).name).toBe('a');
  });

  test('goes to one of two requests that ask for it at once', async () => {
    const ids = [
      await tables.addTask(),
      await tables.addTask(),
      await tables.addTask(),
      await tables.addTask(),
    ];
    const results = await Promise.all(ids.map((id) => update({ task_id: id, new_name: 'the one' })));
    expect(
      results
        .flat()
        .map(({ err }) => err)
        .toSorted(),
    ).toEqual(['', ...Array(3).fill('name: another task has this name')]);
  });
});

test('requests at once with the same tasks in opposite order all succeed', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 100; index += 1) ids.push(await tables.addTask());
  const replies = await Promise.all(
    Array.from({ length: 8 }, (_, round) =>
      update(...(round % 2 === 0 ? ids : ids.toReversed()).map((task_id) => ({ task_id, module: round }))),
    ),
  );
  expect(replies.flat().filter(({ state }) => state !== 0)).toEqual([]);
  const modules = await tables.query(sql<{ module: number }>`select distinct module from crontab_task`);
  expect(modules).toHaveLength(1);
});
