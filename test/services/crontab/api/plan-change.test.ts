// What a change by update_task does to the times of a task, over real HTTP and Postgres.
import { describe, expect, test } from 'vitest';
import { useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();
const { tables } = api;

/** The results, item by item. */
async function update(...items: unknown[]) {
  return (await api.call('updateTask', { task_list: items })).task_result;
}

const minuteMs = 60_000;
const changed = 'CANCELLED: the task was given another schedule';
const disabled = 'CANCELLED: the task was disabled';

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
    expect([3, 4]).toContain(log[0]?.missed);
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
