// update_task over real HTTP and Postgres: what changes, and what a change does to the times of a task.
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

const minuteMs = 60_000;
const changed = 'CANCELLED: the task was given another schedule';
const disabled = 'CANCELLED: the task was disabled';

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
    ['an unknown type', { type: 0 }, 2, 'type: expected a type from 1 to 7'],
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

describe('the schedule', () => {
  test('stays when other fields change, also when its time is long past', async () => {
    const spent = await tables.addTask({ type: 1, start_time: '1700000000', lastAt: 1_700_000_000_000 });
    const waiting = await tables.addTask({ nextAt: Date.parse('2099-01-01T00:00:00Z') });
    const before = [await tables.readTask(spent), await tables.readTask(waiting)];
    expect(
      await update(
        { task_id: spent, enable: 1, start_time: 1_700_000_000, module: 2 },
        { task_id: waiting, start_time: '@every 1m', module: 2 },
      ),
    ).toMatchObject([{ err: '' }, { err: '' }]);
    for (const { task_id: id, anchor_at, next_at, last_at } of before) {
      expect(await tables.readTask(id)).toMatchObject({ anchor_at, next_at, last_at, module: 2 });
    }
  });

  test.each([{ start_time: '@every 2m' }, { type: 3, start_time: '@every 1h' }, { time_zone: 'UTC' }])(
    'begins anew with %j',
    async (change) => {
      const id = await tables.addTask({ nextAt: Date.parse('2099-01-01T00:00:00Z') });
      const before = await tables.readNow();
      await update({ task_id: id, ...change });
      const { anchor_at, next_at } = await tables.readTask(id);
      expect(anchor_at.getTime() % 1000).toBe(0);
      expect(anchor_at.getTime()).toBeGreaterThan(before - 1000);
      expect(Number(next_at)).toBeGreaterThan(before);
      expect(Number(next_at)).toBeLessThanOrEqual(before + 62 * minuteMs);
      expect(await tables.readLog()).toEqual([]);
    },
  );

  test('tells in the log what was due by then and nobody had planned', async () => {
    const nowMs = await tables.readNow();
    const firstMs = Math.floor(nowMs / minuteMs) * minuteMs - 2 * minuteMs;
    const id = await tables.addTask({ name: 'a', anchorAt: firstMs - minuteMs, nextAt: firstMs, body: '1' });
    await update({
      task_id: id,
      start_time: '0 0 0 1 1 *',
      type: 6,
      new_name: 'b',
      url: 'http://b.example/',
    });
    const log = await tables.readLog();
    expect(log).toEqual([
      {
        scheduled_at: new Date(firstMs),
        run_id: expect.any(String),
        try: 0,
        task_id: id,
        name: 'a',
        run_type: 1,
        status: 5,
        begin_at: new Date(firstMs),
        end_at: new Date(firstMs + (log[0]?.missed ?? 0) * minuteMs - minuteMs),
        method: 'post',
        url: 'http://127.0.0.1:9/',
        body: '',
        resp: '',
        resp_code: null,
        err: changed,
        missed: expect.any(Number),
      },
    ]);
    expect([2, 3]).toContain(log[0]?.missed);
    expect(await tables.readTask(id)).toMatchObject({ name: 'b', last_at: log[0]?.end_at });
  });

  test('never comes to a time twice that was planned ahead', async () => {
    const nowMs = await tables.readNow();
    const plannedMs = Math.floor(nowMs / 1000) * 1000 + 5000;
    const id = await tables.addTask({ start_time: '@every 1s', lastAt: plannedMs, nextAt: plannedMs + 1000 });
    await update({ task_id: id, start_time: '* * * * * *' });
    expect(Number((await tables.readTask(id)).next_at)).toBe(plannedMs + 1000);
  });
});

describe('disabling', () => {
  test('ends what waits, and leaves what is under way', async () => {
    const id = await tables.addTask({ name: 'a', nextAt: Date.parse('2099-01-01T00:00:00Z'), body: '5' });
    const other = await tables.addTask();
    const first = await tables.addRun({ taskId: id });
    const retry = await tables.addRun({ taskId: id, try: 2, dueIn: 60_000 });
    const underWay = await tables.addRun({ taskId: id, leasedFor: 5000 });
    const others = await tables.addRun({ taskId: other });
    expect(await update({ task_id: id, enable: 2 })).toMatchObject([{ err: '' }]);
    expect(await tables.readTask(id)).toMatchObject({ enable: 2, next_at: Infinity });
    expect((await tables.readRuns()).map(({ id: run }) => run)).toEqual([underWay, others]);
    expect(await tables.readLog()).toMatchObject([
      {
        run_id: first,
        try: 0,
        run_type: 1,
        status: 4,
        err: disabled,
        name: 'a',
        body: '5',
        resp: '',
        missed: 0,
      },
      { run_id: retry, try: 2, run_type: 2, status: 4, err: disabled, name: 'a', method: 'post' },
    ]);
  });

  test('tells what was due and not planned', async () => {
    const nowMs = await tables.readNow();
    const dueMs = Math.floor(nowMs / 1000) * 1000 - 1000;
    const id = await tables.addTask({ anchorAt: dueMs - minuteMs, nextAt: dueMs });
    await update({ task_id: id, enable: 2 });
    expect(await tables.readLog()).toMatchObject([
      { status: 5, err: disabled, missed: 1, scheduled_at: new Date(dueMs), end_at: new Date(dueMs) },
    ]);
    expect((await tables.readTask(id)).last_at).toEqual(new Date(dueMs));
  });

  test('again changes nothing for what was asked of a disabled task', async () => {
    const id = await tables.addTask({ enable: 2 });
    const rerun = await tables.addRun({ taskId: id, runType: 3 });
    await update({ task_id: id, enable: 2 });
    expect((await tables.readRuns()).map((run) => run.id)).toEqual([rerun]);
  });
});

describe('enabling', () => {
  test('goes on with the next time, on the same grid', async () => {
    const anchorAt = Date.parse('2026-09-20T04:00:07Z');
    const id = await tables.addTask({ enable: 2, anchorAt });
    const nowMs = await tables.readNow();
    await update({ task_id: id, enable: 1 });
    const { enable, next_at, anchor_at } = await tables.readTask(id);
    expect({ enable, anchor_at }).toEqual({ enable: 1, anchor_at: new Date(anchorAt) });
    expect((Number(next_at) - anchorAt) % minuteMs).toBe(0);
    expect(Number(next_at)).toBeGreaterThan(nowMs);
    expect(Number(next_at)).toBeLessThan(nowMs + minuteMs + 1000);
  });

  test('is refused where no time is left, and never comes to one twice', async () => {
    const dueS = Math.floor((await tables.readNow()) / 1000) - 5;
    const single = { type: 1, start_time: String(dueS), enable: 2 as const };
    const spent = await tables.addTask({ ...single, lastAt: dueS * 1000 });
    const fresh = await tables.addTask(single);
    expect(await update({ task_id: spent, enable: 1 }, { task_id: fresh, enable: 1 })).toMatchObject([
      { state: 3, err: 'start_time: lies in the past' },
      { state: 0 },
    ]);
    expect((await tables.readTask(spent)).enable).toBe(2);
    expect((await tables.readTask(fresh)).next_at).toEqual(new Date(dueS * 1000));
  });

  test('in the request that disabled it has dropped what waited', async () => {
    const id = await tables.addTask();
    await tables.addRun({ taskId: id });
    await update({ task_id: id, enable: 2 }, { task_id: id, enable: 1 });
    expect(await tables.readTask(id)).toMatchObject({ enable: 1, next_at: expect.any(Date) });
    expect(await tables.readRuns()).toEqual([]);
    expect(await tables.readLog()).toMatchObject([{ err: disabled }]);
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
