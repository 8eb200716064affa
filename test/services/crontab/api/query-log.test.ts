// query_task_status over real HTTP and Postgres: what is told of a call, of which tasks, and pages.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { useCrontabApi } from './crontab-api.ts';
import { addLog, firstLogAt } from './log-rows.ts';

const api = useCrontabApi();
const { tables } = api;

type Page = Awaited<ReturnType<typeof query>>;

function query(request: object) {
  return api.call('queryTaskStatus', request);
}

/** The entries of all pages, and how many each of them had. */
async function readPages(request: object) {
  const entries: Page['log_list'] = [];
  const sizes: number[] = [];
  let cursor: string | null = null;
  do {
    const page: Page = await query({ ...request, cursor });
    entries.push(...page.log_list);
    sizes.push(page.log_list.length);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return { entries, sizes };
}

const runIdsOf = ({ log_list: entries }: Pick<Page, 'log_list'>) => entries.map(({ run_id: id }) => id);
const messageId = (id: string) => `crontab_${id}`;

describe('an entry', () => {
  test('tells what was called and what came of it', async () => {
    const id = await tables.addTask({ name: 'new name' });
    const [run] = await addLog(tables, {
      task_id: id,
      name: '定时改价',
      run_type: 2,
      try: 1,
      status: 3,
      body: '{"a":1}',
      resp: '\u4f60\ufffd',
      resp_code: 502,
      err: 'HTTP_STATUS: 502',
      scheduledAt: firstLogAt,
    });
    const { status, reply } = await api.ask('queryTaskStatus', { task_list: [{ task_id: Number(id) }] });
    expect({ status, reply }).toEqual({
      status: 200,
      reply: {
        state: 0,
        msg: '',
        data: {
          log_list: [
            {
              task_id: id,
              name: '定时改价',
              run_type: 2,
              status: 3,
              begin_time: '2026-09-20T04:00:00.010Z',
              end_time: '2026-09-20T04:00:00.030Z',
              url: 'http://a.example/',
              body: '{"a":1}',
              resp: '\u4f60\ufffd',
              scheduled_time: '2026-09-20T04:00:00.000Z',
              run_id: messageId(run ?? ''),
              try: 1,
              method: 'post',
              resp_code: 502,
              err: 'HTTP_STATUS: 502',
              missed: 0,
            },
          ],
          task_result: [],
          next_cursor: null,
        },
      },
    });
  });
});

describe('the tasks', () => {
  test('are found by id or else by name, each once; what is not there is told', async () => {
    const [a, b] = [await tables.addTask({ name: 'a' }), await tables.addTask({ name: 'b' })];
    const [ofA, ofB] = await addLog(tables, { task_id: a }, { task_id: b }, { task_id: '77' });
    expect(runIdsOf(await query({ task_list: { task_id: a, name: 'b' } }))).toEqual([messageId(ofA ?? '')]);
    expect(runIdsOf(await query({ task_list: [{ name: 'b' }] }))).toEqual([messageId(ofB ?? '')]);
    const page = await query({
      task_list: [{ task_id: b }, { name: 'a' }, { task_id: a }, { name: 'x' }, {}, { task_id: 'y' }, 5],
    });
    expect(runIdsOf(page)).toEqual([messageId(ofB ?? ''), messageId(ofA ?? '')]);
    expect(page.task_result).toEqual([
      { task_id: '', name: 'x', err: 'name: there is no task of this name', state: 5 },
      { task_id: '', name: '', err: 'task_id: expected a task_id or a name', state: 5 },
      { task_id: 'y', name: '', err: 'task_id: expected a task id as add_task gave it', state: 5 },
      { task_id: '', name: '', err: expect.stringMatching(/^task: /), state: 1 },
    ]);
  });

  test('that were deleted have their log by their id', async () => {
    const [run] = await addLog(tables, { task_id: '77', name: 'gone' });
    const page = await query({ task_list: [{ task_id: 77 }, { name: 'gone' }] });
    expect(runIdsOf(page)).toEqual([messageId(run ?? '')]);
    expect(page.task_result).toEqual([
      { task_id: '77', name: '', err: 'task_id: there is no task 77', state: 5 },
      { task_id: '', name: 'gone', err: 'name: there is no task of this name', state: 5 },
    ]);
  });

  test('are all, without a list; and none, when nothing in the list is known', async () => {
    await addLog(tables, { task_id: '1' }, { task_id: '2' });
    expect((await query({})).log_list).toHaveLength(2);
    expect((await query({ task_list: null })).log_list).toHaveLength(2);
    expect(await query({ task_list: [{ name: 'x' }] })).toMatchObject({ log_list: [], next_cursor: null });
  });
});

describe('calls under way', () => {
  test('are the first entries of the first page, as the task is now', async () => {
    const id = await tables.addTask({ name: 'a', body: '5', method: 'get' });
    const other = await tables.addTask();
    const scheduledAt = firstLogAt + 3_600_000;
    const underWay = await tables.addRun({ taskId: id, scheduledAt, dueIn: -1000, leasedFor: 5000 });
    await tables.addRun({ taskId: id, scheduledAt: scheduledAt + 1, dueIn: 60_000, leasedFor: 5000 });
    await tables.addRun({ taskId: id, dueIn: -1000 });
    const ofOther = await tables.addRun({ taskId: other, scheduledAt, leasedFor: 5000 });
    const [done] = await addLog(tables, { task_id: id });
    const page = await query({ task_list: { task_id: id } });
    expect(page.log_list).toEqual([
      {
        task_id: id,
        name: 'a',
        run_type: 1,
        status: 1,
        begin_time: expect.stringMatching(/Z$/),
        end_time: '',
        url: 'http://127.0.0.1:9/',
        body: '5',
        resp: '',
        scheduled_time: new Date(scheduledAt).toISOString(),
        run_id: messageId(underWay),
        try: 0,
        method: 'get',
        resp_code: null,
        err: '',
        missed: 0,
      },
      expect.objectContaining({ run_id: messageId(done ?? ''), status: 2 }),
    ]);
    expect(runIdsOf(await query({}))).toEqual([ofOther, underWay, done].map((run) => messageId(run ?? '')));
  });

  test('are told as retries and reruns, also of a task that is gone', async () => {
    const retry = await tables.addRun({ taskId: '77', try: 1, leasedFor: 5000 });
    const again = await tables.addRun({ taskId: '77', lapses: 1, leasedFor: 5000 });
    const rerun = await tables.addRun({ taskId: '77', runType: 3, leasedFor: 5000 });
    const { log_list: entries } = await query({ task_list: { task_id: 77 } });
    expect(entries.map((entry) => [entry.run_id, entry.run_type, entry.try, entry.name, entry.url])).toEqual([
      [messageId(rerun), 3, 0, '', ''],
      [messageId(again), 2, 0, '', ''],
      [messageId(retry), 2, 1, '', ''],
    ]);
  });

  test('count for the limit, and stand on no other page', async () => {
    const runs: string[] = [];
    for (let index = 0; index < 3; index += 1) runs.push(await tables.addRun({ leasedFor: 5000 }));
    const done = await addLog(tables, {}, {}, {});
    const { entries, sizes } = await readPages({ limit: 2 });
    // The third call is the oldest: a first page has no room for it.
    expect(entries.map(({ run_id: id }) => id)).toEqual(
      [runs[2], runs[1], done[2], done[1], done[0]].map((run) => messageId(run ?? '')),
    );
    expect(sizes).toEqual([2, 2, 1]);
    expect(runIdsOf(await query({ limit: 4 }))).toEqual(
      [runs[2], runs[1], runs[0], done[2]].map((run) => messageId(run ?? '')),
    );
  });

  test('that fill a page of their own do not promise another one that is empty', async () => {
    await tables.addRun({ leasedFor: 5000 });
    expect((await query({ limit: 1 })).next_cursor).toBe(null);
  });
});

describe('filters', () => {
  test.each<[object, string[]]>([
    [{ status: 1 }, ['1 running']],
    [{ status: 2 }, ['1 second', '1 first']],
    [{ status: 3 }, ['1 failed']],
    [{ status: 4 }, ['1 skipped']],
    [{ status: 5 }, []],
    [{ run_type: 1 }, ['1 running', '1 skipped', '1 second', '1 first']],
    [{ run_type: 2 }, ['1 failed']],
    [{ run_type: 3 }, []],
    [{ run_type: 2, status: 2 }, []],
    [{ from: '2026-09-20T04:00:02Z' }, ['1 running', '1 skipped', '1 failed']],
    [{ from: firstLogAt / 1000 + 2, to: firstLogAt / 1000 + 3 }, ['1 failed']],
    [{ from: '2026-09-20T12:00:01+08:00', to: '2026-09-20T12:00:02+08:00' }, ['1 second']],
    [{ to: '2026-09-20T04:00:01Z' }, ['1 first']],
    [{ to: '2026-09-20T04:00:00Z' }, []],
  ])('%j finds %j', async (filter, found) => {
    const id = await tables.addTask({ name: '1 running' });
    await addLog(
      tables,
      { task_id: id, name: '1 first', scheduledAt: firstLogAt },
      { task_id: id, name: '1 second', scheduledAt: firstLogAt + 1000 },
      { task_id: id, name: '1 failed', scheduledAt: firstLogAt + 2000, status: 3, run_type: 2, try: 1 },
      { task_id: id, name: '1 skipped', scheduledAt: firstLogAt + 3000, status: 4 },
      { task_id: '999999', name: '2', scheduledAt: firstLogAt + 1500 },
    );
    await tables.addRun({ taskId: id, scheduledAt: firstLogAt + 4000, leasedFor: 5000 });
    const names = async (list: object) =>
      (await query({ ...filter, ...list })).log_list.map(({ name }) => name);
    expect(await names({ task_list: { task_id: id } })).toEqual(found);
    expect((await names({})).filter((name) => name !== '2')).toEqual(found);
    expect(await names({ task_list: [{ task_id: id }, { task_id: 3 }] })).toEqual(found);
  });
});

describe('pages', () => {
  /** Three tasks with entries at the same times, tries of one run among them. */
  async function addMany(): Promise<string[]> {
    const rows = [];
    for (let index = 0; index < 20; index += 1) {
      for (const task_id of ['11', '12', '13']) {
        rows.push({ task_id, scheduledAt: firstLogAt + Math.floor(index / 2) * 1000 });
      }
    }
    const ids = await addLog(tables, ...rows);
    const last = ids.at(-1) ?? '';
    const scheduledAt = firstLogAt + 9000;
    await addLog(tables, { task_id: '13', run_id: last, try: 1, scheduledAt, status: 3, run_type: 2 });
    return ids;
  }

  test.each([
    ['of all tasks', {}, ['11', '12', '13']],
    ['of one', { task_list: { task_id: 13 } }, ['13']],
    ['of several', { task_list: [{ task_id: 13 }, { task_id: 11 }] }, ['11', '13']],
  ])('%s have every entry once, newest first, whatever the limit', async (_, request, taskIds) => {
    const ids = await addMany();
    const whole = await query({ ...request, limit: 1000 });
    expect(whole.next_cursor).toBe(null);
    expect(whole.log_list).toHaveLength((ids.length / 3) * taskIds.length + 1);
    expect(new Set(whole.log_list.map(({ task_id: id }) => id))).toEqual(new Set(taskIds));
    const keys = whole.log_list.map((entry) => [
      entry.scheduled_time,
      Number(entry.run_id.slice('crontab_'.length)),
      entry.try,
    ]);
    expect(keys).toEqual(keys.toSorted(descending));
    for (const limit of [1, 7, 20]) {
      const { entries, sizes } = await readPages({ ...request, limit });
      expect(entries).toEqual(whole.log_list);
      expect(Math.max(...sizes)).toBe(limit);
    }
  });

  function descending(a: (string | number)[], b: (string | number)[]): number {
    const differs = a.findIndex((value, index) => value !== b[index]);
    return (a[differs] ?? 0) < (b[differs] ?? 0) ? 1 : -1;
  }

  test('end early where texts fill a reply', async () => {
    const resp = 'x'.repeat(65_536);
    await addLog(tables, ...Array.from({ length: 70 }, () => ({ resp })));
    const { entries, sizes } = await readPages({ limit: 100 });
    expect(sizes).toEqual([64, 6]);
    expect(new Set(entries.map(({ run_id: id }) => id)).size).toBe(70);
  });

  test.each([
    'x',
    'e30',
    Buffer.from('["infinity","1 or true",0]').toString('base64url'),
    Buffer.from('["0000-01-01T00:00:00Z","0",0]').toString('base64url'),
  ])('that begin at %j are refused', async (cursor) => {
    expect(await api.ask('queryTaskStatus', { cursor })).toEqual({
      status: 400,
      reply: { state: 1, msg: 'cursor: expected a cursor as a reply gave it', data: {} },
    });
  });
});

test('a call that ends while its page is read is told once', async () => {
  const id = await tables.addTask();
  const runs: string[] = [];
  for (let index = 0; index < 40; index += 1)
    runs.push(await tables.addRun({ taskId: id, leasedFor: 60_000 }));
  const [pages] = await Promise.all([
    Promise.all(Array.from({ length: 30 }, () => query({ task_list: { task_id: id }, limit: 1000 }))),
    (async () => {
      for (const run of runs) await tables.query(endCall(run));
    })(),
  ]);
  for (const page of pages) expect(runIdsOf(page).toSorted()).toEqual(runs.map(messageId).toSorted());
});

/** As the service does it: in one statement. */
function endCall(runId: string) {
  return sql`
    with done as (delete from crontab_run where id = ${runId} returning *)
    insert into crontab_log (scheduled_at, run_id, try, task_id, name, run_type, status, begin_at, end_at, method, url,
      body, resp, err)
    select scheduled_at, id, try, task_id, '', run_type, 2, now(), now(), '', '', '', '', '' from done`;
}
