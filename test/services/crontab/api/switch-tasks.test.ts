// pause_task and resume_task over real HTTP and Postgres.
import { describe, expect, test } from 'vitest';
import { useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();
const { tables } = api;

async function pause(...items: unknown[]) {
  return (await api.call('pauseTask', { task_list: items })).task_result;
}
async function resume(...items: unknown[]) {
  return (await api.call('resumeTask', { task_list: items })).task_result;
}

const minuteMs = 60_000;
const farMs = Date.parse('2099-01-01T00:00:00Z');
const disabled = 'CANCELLED: the task was disabled';

describe('pausing', () => {
  test('disables the tasks that are named, by id or else by name, and says what it does not know', async () => {
    const [a, b, c] = [
      await tables.addTask({ name: 'a', nextAt: farMs }),
      await tables.addTask({ name: 'b', nextAt: farMs }),
      await tables.addTask({ name: 'c', nextAt: farMs }),
    ];
    expect(
      await pause({ task_id: a }, { name: 'b' }, { name: 'x' }, { task_id: 5_000_000 }, {}, 'c'),
    ).toEqual([
      { task_id: a, name: 'a', err: '', state: 0 },
      { task_id: b, name: 'b', err: '', state: 0 },
      { task_id: '', name: 'x', err: 'name: there is no task of this name', state: 5 },
      { task_id: '5000000', name: '', err: 'task_id: there is no task 5000000', state: 5 },
      { task_id: '', name: '', err: 'task_id: expected a task_id or a name', state: 5 },
      { task_id: '', name: '', err: expect.stringMatching(/^task: /), state: 1 },
    ]);
    expect(await tables.readTask(a)).toMatchObject({ enable: 2, next_at: Infinity });
    expect(await tables.readTask(b)).toMatchObject({ enable: 2, next_at: Infinity });
    expect(await tables.readTask(c)).toMatchObject({ enable: 1, next_at: new Date(farMs) });
  });

  test('drops the runs that wait, and leaves what is under way', async () => {
    const id = await tables.addTask({ name: 'a', nextAt: farMs });
    const first = await tables.addRun({ taskId: id });
    const retry = await tables.addRun({ taskId: id, try: 1, dueIn: 60_000 });
    const rerun = await tables.addRun({ taskId: id, runType: 3 });
    const underWay = await tables.addRun({ taskId: id, leasedFor: 5000 });
    await pause({ task_id: id });
    expect((await tables.readRuns()).map((run) => run.id)).toEqual([underWay]);
    const log = await tables.readLog();
    expect(log.map((row) => [row.run_id, row.try, row.run_type, row.status, row.err])).toEqual([
      [first, 0, 1, 4, disabled],
      [retry, 1, 2, 4, disabled],
      [rerun, 0, 3, 4, disabled],
    ]);
    expect(log[0]).toMatchObject({ name: 'a', method: 'post', url: 'http://127.0.0.1:9/', resp: '' });
  });

  test('again is fine, and leaves what was asked of a disabled task', async () => {
    const id = await tables.addTask({ enable: 2 });
    const rerun = await tables.addRun({ taskId: id, runType: 3 });
    const before = await tables.readTask(id);
    expect(await pause({ task_id: id }, { task_id: id })).toMatchObject([{ err: '' }, { err: '' }]);
    expect(await tables.readTask(id)).toEqual(before);
    expect((await tables.readRuns()).map((run) => run.id)).toEqual([rerun]);
  });

  test('tells what was due and nobody had planned', async () => {
    const dueMs = Math.floor((await tables.readNow()) / 1000) * 1000 - minuteMs;
    const id = await tables.addTask({ anchorAt: dueMs - minuteMs, nextAt: dueMs });
    const idle = await tables.addTask({ nextAt: farMs });
    await pause({ task_id: id }, { task_id: idle }, { task_id: id });
    const lastMs = dueMs + minuteMs;
    expect(await tables.readLog()).toMatchObject([
      {
        task_id: id,
        status: 5,
        run_type: 1,
        err: disabled,
        missed: 2,
        scheduled_at: new Date(dueMs),
        begin_at: new Date(dueMs),
        end_at: new Date(lastMs),
      },
    ]);
    expect((await tables.readTask(id)).last_at).toEqual(new Date(lastMs));
    expect((await tables.readTask(idle)).last_at).toBe(null);
  });

  test('ends a task whose schedule cannot be understood any more', async () => {
    const id = await tables.addTask({ start_time: 'none', nextAt: Date.parse('2026-01-01T00:00:00Z') });
    expect(await pause({ task_id: id })).toMatchObject([{ err: '' }]);
    expect(await tables.readTask(id)).toMatchObject({ enable: 2, next_at: Infinity });
    expect(await tables.readLog()).toEqual([]);
  });
});

describe('resuming', () => {
  test('goes on with the first time from now, as if nothing had been', async () => {
    const anchorAt = Date.parse('2026-09-20T04:00:07Z');
    const id = await tables.addTask({ enable: 2, anchorAt, lastAt: anchorAt + minuteMs });
    const nowMs = await tables.readNow();
    expect(await resume({ task_id: id })).toMatchObject([{ err: '' }]);
    const { enable, next_at, last_at } = await tables.readTask(id);
    expect({ enable, last_at }).toEqual({ enable: 1, last_at: new Date(anchorAt + minuteMs) });
    expect((Number(next_at) - anchorAt) % minuteMs).toBe(0);
    expect(Number(next_at)).toBeGreaterThan(nowMs);
    expect(Number(next_at)).toBeLessThan(nowMs + minuteMs + 1000);
    expect(await tables.readLog()).toEqual([]);
  });

  test('again is fine, and changes nothing', async () => {
    const id = await tables.addTask({ nextAt: farMs });
    const before = await tables.readTask(id);
    expect(await resume({ task_id: id }, { task_id: id })).toMatchObject([{ err: '' }, { err: '' }]);
    expect(await tables.readTask(id)).toEqual(before);
  });

  test('is refused where no time is left, or the schedule cannot be understood', async () => {
    const past = await tables.addTask({ enable: 2, type: 1, start_time: '1700000000' });
    const odd = await tables.addTask({ enable: 2, start_time: 'none' });
    const fine = await tables.addTask({ enable: 2 });
    expect(await resume({ task_id: past }, { task_id: odd }, { task_id: fine })).toMatchObject([
      { task_id: past, err: 'start_time: lies in the past', state: 3 },
      { task_id: odd, err: expect.stringMatching(/^start_time: /), state: 3 },
      { task_id: fine, err: '', state: 0 },
    ]);
    expect((await tables.readTask(past)).enable).toBe(2);
    expect((await tables.readTask(fine)).enable).toBe(1);
  });

  test('never comes to a time twice that was planned before the pause', async () => {
    const dueS = Math.floor((await tables.readNow()) / 1000) - 5;
    const single = { type: 1, start_time: String(dueS), nextAt: Infinity, lastAt: dueS * 1000 };
    const id = await tables.addTask(single);
    await pause({ task_id: id });
    expect(await resume({ task_id: id })).toMatchObject([{ state: 3 }]);
    const aheadMs = Math.floor((await tables.readNow()) / 1000) * 1000 + 5000;
    const repeated = await tables.addTask({ enable: 2, start_time: '* * * * * *', lastAt: aheadMs });
    await resume({ task_id: repeated });
    expect((await tables.readTask(repeated)).next_at).toEqual(new Date(aheadMs + 1000));
  });
});

test('pausing and resuming the same tasks at once leaves each of them whole', async () => {
  const ids: string[] = [];
  for (let index = 0; index < 50; index += 1) ids.push(await tables.addTask({ nextAt: farMs }));
  const keys = ids.map((task_id) => ({ task_id }));
  const results = await Promise.all(
    Array.from({ length: 6 }, (_, round) =>
      round % 2 === 0 ? pause(...keys) : resume(...keys.toReversed()),
    ),
  );
  expect(results.flat().filter(({ state }) => state !== 0)).toEqual([]);
  for (const id of ids) {
    const { enable, next_at } = await tables.readTask(id);
    expect(Number.isFinite(Number(next_at))).toBe(enable === 1);
  }
});
