// add_task over real HTTP and Postgres: what is stored, and what is said of what is not.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { StoredTask } from '../crontab-tables.ts';
import { useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();
const { tables } = api;

const task = {
  name: '定时改价',
  enable: 1,
  module: 2,
  type: 4,
  start_time: '0 30 9 * * *',
  url: 'http://callback.example/path/aa',
  method: 'post',
};

/** The result of one item. */
async function add(item: unknown) {
  const { task_result: results } = await api.call('addTask', { task_list: [item] });
  expect(results).toHaveLength(1);
  return results[0];
}

/** The task as it is stored, by the result of its item. */
async function addAndRead(item: unknown) {
  const result = await add(item);
  expect(result).toMatchObject({ err: '', state: 0 });
  return tables.readTask(result?.task_id ?? '');
}

describe('a task', () => {
  test('is stored as it was given, and what was left out is what is usual', async () => {
    const before = await tables.readNow();
    const { status, reply } = await api.ask('addTask', { task_list: [task] });
    const [row] = await tables.query(sqlTasks());
    expect({ status, reply }).toEqual({
      status: 200,
      reply: {
        state: 0,
        msg: '',
        data: { task_result: [{ task_id: row?.task_id, name: '定时改价', err: '', state: 0 }] },
      },
    });
    expect(row).toMatchObject({
      ...task,
      time_zone: 'Asia/Shanghai',
      resp_regexp: '',
      body: '',
      body_type: 1,
      redo_param: '',
      tags: [],
      timeout_ms: 10_000,
      overlap: 'skip',
      misfire: 'fire',
      misfire_window: 3600,
      delivery: 'at_least_once',
      secret: '',
      target: 'http://callback.example:80',
      last_at: null,
    });
    const anchorMs = row?.anchor_at.getTime() ?? 0;
    expect(anchorMs % 1000).toBe(0);
    expect(anchorMs).toBeGreaterThan(before - 1000);
    // 09:30 in Shanghai, within a day.
    expect(new Date(Number(row?.next_at)).toISOString()).toMatch(/T01:30:00.000Z$/);
    expect(Number(row?.next_at) - before).toBeGreaterThan(0);
    expect(Number(row?.next_at) - before).toBeLessThanOrEqual(86_400_000);
  });

  test('may have every field there is', async () => {
    const fields = {
      resp_regexp: '^ok',
      body: 'a=1&b=2',
      body_type: 2,
      redo_param: '2 4 8',
      time_zone: 'America/New_York',
      overlap: 'allow',
      misfire: 'skip',
      misfire_window: 60,
      delivery: 'at_most_once',
      secret: `whsec_${'A'.repeat(32)}`,
    };
    const row = await addAndRead({
      ...task,
      ...fields,
      method: 'GET',
      tags: ['a', 'b', 'a'],
      timeout: 0.25,
      of_the_caller: 'passed over',
    });
    expect(row).toMatchObject({ ...fields, method: 'get', tags: ['a', 'b'], timeout_ms: 250 });
    expect(new Date(Number(row.next_at)).toISOString()).toMatch(/T1[34]:30:00.000Z$/);
  });

  test('may stand without a list, and null means left out', async () => {
    const { task_result: results } = await api.call('addTask', {
      task_list: { ...task, task_id: null, body: null, timeout: null, tags: null, time_zone: null },
    });
    expect(results).toEqual([{ task_id: expect.any(String), name: task.name, err: '', state: 0 }]);
    expect(await tables.readTask(results[0]?.task_id ?? '')).toMatchObject({ body: '', timeout_ms: 10_000 });
  });

  test('that is disabled has no next time, and must have one all the same', async () => {
    expect((await addAndRead({ ...task, enable: 2 })).next_at).toBe(Infinity);
    expect(await add({ ...task, name: 'b', enable: 2, start_time: '0 0 0 30 2 *', type: 6 })).toMatchObject({
      state: 3,
    });
  });
});

function sqlTasks() {
  return sql<StoredTask>`select * from crontab_task order by task_id`;
}

describe('a single time', () => {
  test.each<[string, (nowS: number) => number | string, (nowS: number) => number]>([
    ['of seconds ahead', (nowS) => nowS + 3600, (nowS) => nowS + 3600],
    ['of milliseconds ahead', (nowS) => (nowS + 3600) * 1000, (nowS) => nowS + 3600],
    ['as text', (nowS) => String(nowS + 3600), (nowS) => nowS + 3600],
    ['of just now', (nowS) => nowS - 5, (nowS) => nowS - 5],
    ['in the year 9999', () => 253_402_300_799_000, () => 253_402_300_799],
  ])('%s is stored as its moment', async (_, startTime, expectedS) => {
    const nowS = Math.floor((await tables.readNow()) / 1000);
    const row = await addAndRead({ ...task, type: 1, start_time: startTime(nowS) });
    expect(row.next_at).toEqual(new Date(expectedS(nowS) * 1000));
    expect(row.start_time).toBe(String(startTime(nowS)));
  });

  test('by cron fields is the first one that fits', async () => {
    const row = await addAndRead({ ...task, type: 1 });
    expect(new Date(Number(row.next_at)).toISOString()).toMatch(/T01:30:00.000Z$/);
  });

  test('long past is refused', async () => {
    const start_time = Math.floor((await tables.readNow()) / 1000) - 61;
    expect(await add({ ...task, type: 1, start_time })).toEqual({
      task_id: '',
      name: task.name,
      err: 'start_time: lies in the past',
      state: 3,
    });
  });
});

describe('a fault of an item', () => {
  const secret = 'expected whsec_ and 24 to 64 octets of base64';
  test.each<[string, object, number, string | RegExp]>([
    ['no name', { name: undefined }, 5, 'name: is missing'],
    ['an empty name', { name: '' }, 5, 'name: expected a name'],
    ['a name of another type', { name: 7 }, 5, 'name: Invalid input: expected string, received number'],
    ['a NUL in the name', { name: 'a\0' }, 5, 'name: has control characters'],
    ['half a surrogate pair in the name', { name: 'a\ud800' }, 5, 'name: has half a surrogate pair'],
    ['another enable', { enable: 0 }, 1, 'enable: expected 1 (enabled) or 2 (disabled)'],
    ['no module', { module: undefined }, 1, 'module: is missing'],
    ['a module that is no integer of Postgres', { module: 2 ** 31 }, 1, /^module: Too big/],
    ['an unknown type', { type: 8 }, 2, 'type: expected a number from 1 to 7'],
    ['a type that its fields contradict', { type: 5, start_time: '0 30 9 * * *' }, 2, /^type: .*month/],
    ['no start_time', { start_time: undefined }, 3, 'start_time: is missing'],
    [
      'a start_time of another type',
      { start_time: [1] },
      3,
      'start_time: expected a timestamp or cron fields',
    ],
    ['an impossible minute', { start_time: '0 75 9 * * *' }, 3, /^start_time: .*75/],
    ['an impossible date', { type: 6, start_time: '0 0 0 30 2 *' }, 3, 'start_time: such a time never comes'],
    ['an infinite timestamp', { type: 1, start_time: '1e999' }, 3, /^start_time: /],
    ['an unknown time zone', { time_zone: 'Mars/Olympus' }, 3, /^time_zone: /],
    ['a url that is none', { url: 'callback' }, 4, /^url: is not a URL/],
    ['a forbidden scheme', { url: 'ftp://callback.example/' }, 4, /^url: has the scheme ftp:/],
    ['a forbidden network', { url: 'http://169.254.169.254/latest' }, 4, /^url: .*link-local/],
    ['a network that is denied here', { url: 'http://192.0.2.7/' }, 4, /^url: .*denied/],
    ['a NUL in the url', { url: 'http://callback.example/\0' }, 4, 'url: has control characters'],
    ['an unknown method', { method: 'put' }, 4, 'method: expected post, get, rpc or nats'],
    ['an rpc without a method', { method: 'rpc', url: 'callback.example:80' }, 4, /^url: .*host:port/],
    ['a bad regexp', { resp_regexp: '(' }, 4, /^resp_regexp: /],
    ['a body that is no JSON', { body: '{"a":' }, 4, /^body: is not JSON/],
    ['a NUL in the body', { body: '"\0"' }, 4, 'body: has a NUL character or half a surrogate pair'],
    ['a body that is too long', { body: `"${'x'.repeat(65_536)}"` }, 4, /^body: Too big/],
    ['another body_type', { body_type: 3 }, 4, 'body_type: expected 1 (JSON) or 2 (form)'],
    ['a bad delay', { redo_param: '2 x 8' }, 4, /^redo_param: expected seconds/],
    ['a delay of days', { redo_param: '99999' }, 4, /^redo_param: expected seconds/],
    ['too many retries', { redo_param: '1 '.repeat(21) }, 4, 'redo_param: expected at most 20 retries'],
    ['no timeout at all', { timeout: 0 }, 4, /^timeout: Too small/],
    ['a bad secret', { secret: 'abc' }, 4, `secret: ${secret}`],
    ['too many tags', { tags: Array(21).fill('a') }, 1, /^tags: Too big/],
    ['a tag that is none', { tags: ['a', 5] }, 1, /^tags\.1: /],
    ['another way to overlap', { overlap: 'queue' }, 1, /^overlap: /],
  ])('%s has its code and its reason', async (_, fields, state, err) => {
    const { name, ...item } = { ...task, ...fields };
    expect(await add({ ...item, name })).toEqual({
      task_id: '',
      // Half a pair cannot be said in UTF-8.
      name: String(name ?? '').toWellFormed(),
      err: typeof err === 'string' ? err : expect.stringMatching(err),
      state,
    });
    expect(await tables.query(sqlTasks())).toEqual([]);
  });

  test.each([[null], [5], ['x'], [[]], [[task]]])('%j is no task', async (item) => {
    const { task_result: results } = await api.call('addTask', { task_list: [item, task] });
    expect(results[0]).toEqual({
      task_id: '',
      name: '',
      err: expect.stringMatching(/^task: Invalid input: expected object/),
      state: 1,
    });
    expect(results[1]).toMatchObject({ err: '', state: 0 });
  });

  test('says up to five of them in one line, with the code of the first', async () => {
    const result = await add({ name: 'a', type: 9, url: 5, method: 'put', body: 5, enable: 5 });
    expect(result?.err.split('; ')).toEqual([
      'enable: expected 1 (enabled) or 2 (disabled)',
      'module: is missing',
      'type: expected a number from 1 to 7',
      'start_time: is missing',
      'url: Invalid input: expected string, received number',
      'and 2 more',
    ]);
    expect(result?.state).toBe(1);
    const both = await add({ ...task, start_time: '0 75 9 * * *', url: 'ftp://x' });
    expect(both).toMatchObject({
      state: 3,
      err: expect.stringMatching(/^start_time: .*; url: has the scheme/),
    });
  });

  test('repeats no long name, and quotes no long text', async () => {
    const result = await add({ ...task, name: 'n'.repeat(5000), start_time: `0 ${'9'.repeat(190)} * * * *` });
    expect(result?.name).toBe('n'.repeat(128));
    expect(result?.err.length).toBeLessThan(1000);
  });

  test('leaves the others alone', async () => {
    const { task_result: results } = await api.call('addTask', {
      task_list: [
        { ...task, name: 'a' },
        { ...task, name: 'b', url: 'x' },
        { ...task, name: 'c' },
      ],
    });
    expect(results.map(({ name, state }) => [name, state])).toEqual([
      ['a', 0],
      ['b', 4],
      ['c', 0],
    ]);
    const rows = await tables.query(sqlTasks());
    expect(rows.map(({ name }) => name)).toEqual(['a', 'c']);
  });

  test('a field of the prototype is none of the item', async () => {
    const { reply } = await api.post(
      '/crontab/add_task',
      '{"task_list":[{"__proto__":{"name":"x","enable":1,"module":1},"constructor":5,"type":4}]}',
    );
    expect(reply).toMatchObject({
      data: { task_result: [{ err: expect.stringMatching(/^name: is missing; enable: is missing/) }] },
    });
    expect(Object.hasOwn(Object.prototype, 'enable')).toBe(false);
  });
});

describe('a name', () => {
  test('that a task has is refused, with the id of that task', async () => {
    const first = await add(task);
    expect(await add({ ...task, url: 'http://other.example/' })).toEqual({
      task_id: first?.task_id,
      name: task.name,
      err: 'name: another task has this name',
      state: 5,
    });
    expect(await tables.query(sqlTasks())).toMatchObject([{ url: task.url }]);
  });

  test('that is given twice is stored once: the first that can be', async () => {
    const { task_result: results } = await api.call('addTask', {
      task_list: [
        { ...task, url: 'none' },
        { ...task, module: 7 },
        { ...task, module: 8 },
      ],
    });
    const rows = await tables.query(sqlTasks());
    expect(rows).toMatchObject([{ module: 7 }]);
    expect(results).toEqual([
      { task_id: '', name: task.name, err: expect.stringMatching(/^url: /), state: 4 },
      { task_id: rows[0]?.task_id, name: task.name, err: '', state: 0 },
      { task_id: rows[0]?.task_id, name: task.name, err: 'name: is given twice in this request', state: 5 },
    ]);
  });

  test('of another case is another one', async () => {
    expect(await add({ ...task, name: 'a' })).toMatchObject({ state: 0 });
    expect(await add({ ...task, name: 'A' })).toMatchObject({ state: 0 });
    expect(await add({ ...task, name: 'toString' })).toMatchObject({ state: 0 });
    expect(await add({ ...task, name: '__proto__' })).toMatchObject({ state: 0 });
  });
});

test('ids follow the order of the list, whatever the names', async () => {
  const names = ['c', 'a', 'd', 'b'];
  const { task_result: results } = await api.call('addTask', {
    task_list: names.map((name) => ({ ...task, name })),
  });
  expect(results.map(({ name }) => name)).toEqual(names);
  const ids = results.map(({ task_id: id }) => Number(id));
  expect(ids).toEqual(ids.toSorted((a, b) => a - b));
});

test('two requests at once with the same names in opposite order store each name once', async () => {
  const list = Array.from({ length: 300 }, (_, index) => ({ ...task, name: `n${index}` }));
  const replies = await Promise.all(
    [list, list.toReversed(), list].map((task_list) => api.call('addTask', { task_list })),
  );
  const stored = await tables.query(sqlTasks());
  expect(stored).toHaveLength(300);
  const idByName = new Map(stored.map(({ name, task_id: id }) => [name, id]));
  const results = replies.flatMap(({ task_result }) => task_result);
  // Whoever came too late is told the id all the same.
  for (const { name, task_id: id } of results) expect(id).toBe(idByName.get(name));
  expect(results.filter(({ state }) => state === 0)).toHaveLength(300);
  expect(results.filter(({ state }) => state === 5)).toHaveLength(600);
});
