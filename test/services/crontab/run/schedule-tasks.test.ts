// Turns of the crontab service on a real Postgres: a time is planned whole, once, or not at all.
import { sql } from 'kysely';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { PlannedTime } from '../../../../services/crontab/run/take-turn.ts';
import type { CrontabTaskRow } from '../crontab-tables.ts';
import { minuteMs, secondMs, useTurns } from './use-turns.ts';

const { tables, turn, turnUntilPlanned, lately, addDue, addYearly } = useTurns();

beforeAll(async () => {
  // When it was that a turn stored something: no turn writes these.
  for (const table of ['crontab_run', 'crontab_log']) {
    await tables.query(sql`
      alter table ${sql.table(table)} add column stored_at timestamptz not null default clock_timestamp()`);
  }
});

describe('a due task', () => {
  test('has its run and its next time stored together, once', async () => {
    const dueMs = await lately();
    const target = 'http://127.0.0.1:8080';
    const id = await addDue(dueMs, { misfire_window: 90, target });
    const { planned, isFull } = await turn();
    expect(planned).toEqual([
      {
        taskId: id,
        target,
        runAt: dueMs,
        expiresAt: dueMs + 90 * secondMs,
        skippedAt: undefined,
        missed: undefined,
      },
    ]);
    expect(isFull).toBe(false);
    expect(await tables.readTask(id)).toMatchObject({
      next_at: new Date(dueMs + minuteMs),
      last_at: new Date(dueMs),
    });
    expect(await tables.readRuns()).toEqual([
      {
        id: expect.any(String),
        task_id: id,
        scheduled_at: new Date(dueMs),
        run_type: 1,
        try: 0,
        target,
        due_at: new Date(dueMs),
        expires_at: new Date(dueMs + 90 * secondMs),
        state: 0,
        attempt: 0,
        lapses: 0,
        lease_until: null,
        claimed_by: null,
        stored_at: expect.any(Date),
      },
    ]);
    expect(await tables.readLog()).toEqual([]);
    expect((await turn()).planned).toEqual([]);
  });

  test('is planned up to half a second before its time', async () => {
    const nextMs = (await lately()) + secondMs;
    for (let second = 0; second < 3; second += 1) await addYearly(nextMs + second * secondMs);
    await turnUntilPlanned(3);
    const rows = await tables.query(sql<{ ahead: number }>`
      select (extract(epoch from scheduled_at - stored_at) * 1000)::float8 as ahead from crontab_run`);
    const ahead = rows.map((row) => row.ahead);
    expect(ahead).toHaveLength(3);
    expect(Math.max(...ahead)).toBeGreaterThan(0);
    expect(Math.max(...ahead)).toBeLessThanOrEqual(500);
  });

  test('of every second has each second planned once', async () => {
    const dueMs = await lately();
    const id = await tables.addTask({
      start_time: '* * * * * *',
      overlap: 'allow',
      anchorAt: dueMs - secondMs,
      nextAt: dueMs,
    });
    const planned = await turnUntilPlanned(4);
    expect(planned.map(({ taskId }) => taskId)).toEqual([id, id, id, id]);
    expect(planned.map(({ runAt }) => runAt)).toEqual(
      [0, 1, 2, 3].map((second) => dueMs + second * secondMs),
    );
  });

  test('that is called late still has half a minute to be claimed', async () => {
    const dueMs = await lately(50 * secondMs);
    await addYearly(dueMs, { misfire_window: 60 });
    const before = await tables.readNow();
    await turn();
    const [run] = await tables.readRuns();
    expect(run?.due_at).toEqual(new Date(dueMs));
    expect(Number(run?.expires_at)).toBeGreaterThanOrEqual(before + 30 * secondMs);
    expect(Number(run?.expires_at)).toBeLessThan(before + 60 * secondMs);
  });

  test('of a single time is done with', async () => {
    const dueMs = await lately(5 * secondMs);
    const id = await tables.addTask({ type: 1, start_time: String(dueMs / 1000), nextAt: dueMs });
    expect((await turn()).planned).toMatchObject([{ taskId: id, runAt: dueMs }]);
    expect(await tables.readTask(id)).toMatchObject({ next_at: Infinity, last_at: new Date(dueMs) });
    expect((await turn()).planned).toEqual([]);
  });
});

describe('times that nobody planned', () => {
  test('are one row of the log, and the newest of them is called', async () => {
    const dueMs = await lately();
    const url = 'http://127.0.0.1:9/"x"';
    const id = await tables.addTask({
      name: '汉字 "quoted"\\',
      method: 'get',
      url,
      anchorAt: dueMs - 5 * minuteMs,
      nextAt: dueMs - 3 * minuteMs,
      body: 'not told',
    });
    expect((await turn()).planned).toMatchObject([
      { runAt: dueMs, missed: { firstAt: dueMs - 3 * minuteMs, lastAt: dueMs - minuteMs, count: 3 } },
    ]);
    const log = await tables.readLog();
    expect(log).toEqual([
      {
        scheduled_at: new Date(dueMs - 3 * minuteMs),
        run_id: expect.any(String),
        try: 0,
        task_id: id,
        name: '汉字 "quoted"\\',
        run_type: 1,
        status: 5,
        begin_at: new Date(dueMs - 3 * minuteMs),
        end_at: new Date(dueMs - minuteMs),
        method: 'get',
        url,
        body: '',
        resp: '',
        resp_code: null,
        err: 'MISSED: nobody was there to call it in time',
        missed: 3,
        stored_at: expect.any(Date),
      },
    ]);
    const runs = await tables.readRuns();
    expect(runs).toMatchObject([{ scheduled_at: new Date(dueMs) }]);
    expect(runs[0]?.id).not.toBe(log[0]?.run_id);
  });

  test('are called within the window of the task, and only missed after it', async () => {
    const nowMs = await lately();
    const within = await addYearly(nowMs - 50 * secondMs, { misfire_window: 60 });
    const after = await addYearly(nowMs - 62 * secondMs, { misfire_window: 60 });
    const { planned } = await turn();
    expect(planned.find(({ taskId }) => taskId === within)).toMatchObject({
      runAt: nowMs - 50 * secondMs,
      missed: undefined,
    });
    expect(planned.find(({ taskId }) => taskId === after)).toMatchObject({
      runAt: undefined,
      missed: { firstAt: nowMs - 62 * secondMs, lastAt: nowMs - 62 * secondMs, count: 1 },
    });
    expect(await tables.readLog()).toMatchObject([{ task_id: after, status: 5, missed: 1 }]);
    expect(await tables.readTask(after)).toMatchObject({ last_at: new Date(nowMs - 62 * secondMs) });
  });

  test('of a task that is not to be called late are called while a turn may just be slow', async () => {
    const nowMs = await lately();
    const skip: CrontabTaskRow = { misfire: 'skip', misfire_window: 86_400 };
    const late = await addYearly(nowMs - 7 * secondMs, skip);
    const slow = await addYearly(nowMs - secondMs, skip);
    await turn();
    expect(await tables.readLog()).toMatchObject([{ task_id: late, status: 5 }]);
    expect(await tables.readRuns()).toMatchObject([{ task_id: slow }]);
  });

  test('of a single time after its window end the task', async () => {
    const dueMs = await lately(60 * minuteMs);
    const id = await tables.addTask({
      type: 1,
      start_time: String(dueMs / 1000),
      misfire_window: 60,
      nextAt: dueMs,
    });
    await turn();
    expect(await tables.readTask(id)).toMatchObject({ next_at: Infinity });
    expect(await tables.readLog()).toMatchObject([{ task_id: id, status: 5, missed: 1 }]);
    expect(await tables.readRuns()).toEqual([]);
  });
});

describe('left alone are', () => {
  test('tasks that are disabled, done, or due later', async () => {
    const dueMs = await lately();
    await tables.addTask({ enable: 2 });
    await tables.addTask({ type: 1, start_time: String(dueMs / 1000), lastAt: dueMs });
    await addDue(dueMs + minuteMs);
    const before = await tables.query(sql`select * from crontab_task order by task_id`);
    expect((await turn()).planned).toEqual([]);
    expect(await tables.query(sql`select * from crontab_task order by task_id`)).toEqual(before);
  });

  test('tasks that somebody else has locked', async () => {
    const dueMs = await lately();
    const id = await addYearly(dueMs);
    const other = await addYearly(dueMs);
    await tables.database.transact(async (db) => {
      await sql`select from crontab_task where task_id = ${id} for update`.execute(db);
      expect((await turn()).planned).toMatchObject([{ taskId: other }]);
    });
    expect((await turn()).planned).toMatchObject([{ taskId: id }]);
  });
});

test('several turns at once plan each time once', async () => {
  const dueMs = await lately();
  const ids = new Set<string>();
  for (let index = 0; index < 100; index += 1) {
    ids.add(
      await tables.addTask({
        start_time: '@every 1s',
        overlap: 'allow',
        anchorAt: dueMs - secondMs,
        nextAt: dueMs,
      }),
    );
  }
  const planned: PlannedTime[] = [];
  const isOver = (task: string) => planned.filter(({ taskId }) => taskId === task).length >= 3;
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (![...ids].every(isOver)) planned.push(...(await turn(30)).planned);
    }),
  );
  const keys = planned.map(({ taskId, runAt }) => `${taskId} ${runAt}`);
  expect(new Set(keys).size).toBe(keys.length);
  const runs = await tables.readRuns();
  expect(runs.map((run) => `${run.task_id} ${run.scheduled_at.getTime()}`).toSorted()).toEqual(
    keys.toSorted(),
  );
  expect(tables.logged).toEqual([]);
  // What one passed over is not lost: all times follow each other, or are in the log.
  const missed = (await tables.readLog()).reduce((sum, row) => sum + row.missed, 0);
  const newest = await tables.query(sql<{ seconds: number }>`
    select sum(extract(epoch from last_at - ${new Date(dueMs)}::timestamptz) + 1)::integer as seconds from crontab_task`);
  expect(runs.length + missed).toBe(newest[0]?.seconds);
});

test('a turn that has much to count lets calls of its process begin meanwhile', async () => {
  const nextAt = await lately(2 * 24 * 60 * minuteMs);
  for (let second = 0; second < 50; second += 1) {
    await tables.addTask({ start_time: `${second} * * * * *`, anchorAt: nextAt - minuteMs, nextAt });
  }
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
  }, 1);
  onTestFinished(() => clearInterval(timer));
  const before = ticks;
  const { planned } = await turn();
  expect(planned.length).toBeGreaterThan(5);
  // It counts less of each, the more tasks there are.
  expect(new Set(planned.map(({ missed }) => missed?.count))).toEqual(new Set([200]));
  expect(ticks - before).toBeGreaterThanOrEqual(planned.length);
});

test('a turn that finds more than it may take says so, and how many the next one may', async () => {
  const dueMs = await lately();
  for (let index = 0; index < 5; index += 1) await addYearly(dueMs - index * secondMs);
  const first = await turn(2);
  expect(first).toMatchObject({ isFull: true, nextLimit: 4 });
  // The longest due first.
  expect(first.planned.map(({ runAt }) => runAt)).toEqual([dueMs - 4 * secondMs, dueMs - 3 * secondMs]);
  expect(await turn(4)).toMatchObject({ isFull: false, nextLimit: 8 });
});
