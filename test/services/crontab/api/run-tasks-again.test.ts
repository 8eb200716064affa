// run_again_task over real HTTP and Postgres.
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();
const { tables } = api;

async function runAgain(...items: unknown[]) {
  return (await api.call('runAgainTask', { task_list: items })).task_result;
}

test('a task is due at once, whether enabled or not, and whoever calls is told', async () => {
  const enabled = await tables.addTask({ name: 'a', target: 'http://a.example:80', nextAt: Infinity });
  const disabled = await tables.addTask({ name: 'b', enable: 2, misfire_window: 5 });
  const before = { woken: api.woken(), nowMs: await tables.readNow() };
  expect(await runAgain({ task_id: Number(enabled) }, { name: 'b' }, { name: 'x' })).toEqual([
    { task_id: enabled, name: 'a', err: '', state: 0 },
    { task_id: disabled, name: 'b', err: '', state: 0 },
    { task_id: '', name: 'x', err: 'name: there is no task of this name', state: 5 },
  ]);
  const nowMs = await tables.readNow();
  const runs = await tables.readRuns();
  expect(runs).toMatchObject([
    { task_id: enabled, run_type: 3, try: 0, state: 0, target: 'http://a.example:80' },
    { task_id: disabled, run_type: 3, try: 0, state: 0 },
  ]);
  for (const { scheduled_at, due_at } of runs) {
    expect(due_at).toEqual(scheduled_at);
    expect(due_at.getTime()).toBeGreaterThanOrEqual(Math.floor(before.nowMs));
    expect(due_at.getTime()).toBeLessThanOrEqual(nowMs);
  }
  // The window of the task, and no less than a minute.
  expect(runs.map(({ expires_at, due_at }) => expires_at.getTime() - due_at.getTime())).toEqual([
    3_600_000, 60_000,
  ]);
  expect(api.woken()).toBe(before.woken + 1);
  expect(await tables.readTask(enabled)).toMatchObject({ next_at: Infinity, last_at: null });
});

test('nominal times are whole milliseconds, so that a page of the log can start after any', async () => {
  const id = await tables.addTask();
  await runAgain({ task_id: id });
  const [run] = await tables.readRuns();
  const [same] = await tables.query(
    sql<{ is_whole: boolean }>`
      select date_trunc('milliseconds', scheduled_at) = scheduled_at as is_whole from crontab_run where id = ${run?.id}`,
  );
  expect(same).toEqual({ is_whole: true });
});

test('a task that is named twice in a request runs once, and again in the next one', async () => {
  const id = await tables.addTask({ name: 'a' });
  expect(await runAgain({ task_id: id }, { name: 'a' }, { task_id: id })).toMatchObject([
    { err: '' },
    { err: '' },
    { err: '' },
  ]);
  expect(await tables.readRuns()).toHaveLength(1);
  await tables.query(sql`update crontab_run set scheduled_at = scheduled_at - interval '1 s'`);
  await runAgain({ task_id: id });
  expect(await tables.readRuns()).toHaveLength(2);
});

test('requests in the same moment are all fine', async () => {
  const id = await tables.addTask();
  const results = await Promise.all(Array.from({ length: 20 }, () => runAgain({ task_id: id })));
  expect(results.flat().filter(({ state }) => state !== 0)).toEqual([]);
  const runs = await tables.readRuns();
  expect(runs.length).toBeGreaterThanOrEqual(1);
  expect(new Set(runs.map(({ scheduled_at }) => scheduled_at.getTime())).size).toBe(runs.length);
});
