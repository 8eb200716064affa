// delete_task over real HTTP and Postgres.
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { useCrontabApi } from './crontab-api.ts';

const api = useCrontabApi();
const { tables } = api;

async function remove(...items: unknown[]) {
  return (await api.call('deleteTask', { task_list: items })).task_result;
}

async function readIds() {
  const rows = await tables.query(
    sql<{ task_id: string }>`select task_id from crontab_task order by task_id`,
  );
  return rows.map(({ task_id: id }) => id);
}

const deleted = 'CANCELLED: the task was deleted';

test('the tasks that are named are gone, the others stay', async () => {
  const [a, b, c] = [
    await tables.addTask({ name: 'a' }),
    await tables.addTask({ name: 'b', enable: 2 }),
    await tables.addTask({ name: 'c' }),
  ];
  expect(await remove({ task_id: a, name: 'c' }, { name: 'b' }, { name: 'b' }, { name: 'x' })).toEqual([
    { task_id: a, name: 'a', err: '', state: 0 },
    { task_id: b, name: 'b', err: '', state: 0 },
    { task_id: b, name: 'b', err: '', state: 0 },
    { task_id: '', name: 'x', err: 'name: there is no task of this name', state: 5 },
  ]);
  expect(await readIds()).toEqual([c]);
  expect(await remove({ task_id: a })).toMatchObject([{ err: `task_id: there is no task ${a}`, state: 5 }]);
});

test('what waits is dropped, and what is under way goes on; the log says so and stays', async () => {
  const id = await tables.addTask({ name: 'a', body: '{"a":1}' });
  const first = await tables.addRun({ taskId: id });
  const underWay = await tables.addRun({ taskId: id, leasedFor: 5000 });
  const other = await tables.addRun({ taskId: await tables.addTask() });
  await remove({ task_id: id });
  expect((await tables.readRuns()).map((run) => run.id)).toEqual([underWay, other]);
  expect(await tables.readLog()).toMatchObject([
    { task_id: id, run_id: first, name: 'a', body: '{"a":1}', status: 4, err: deleted },
  ]);
});

test('what was due and nobody had planned is told', async () => {
  const dueMs = Math.floor((await tables.readNow()) / 1000) * 1000 - 1000;
  const id = await tables.addTask({ name: 'a', anchorAt: dueMs - 60_000, nextAt: dueMs });
  await remove({ task_id: id });
  expect(await tables.readLog()).toMatchObject([
    { task_id: id, name: 'a', status: 5, err: deleted, missed: 1, scheduled_at: new Date(dueMs) },
  ]);
});

test('its name is free again', async () => {
  const id = await tables.addTask({ name: 'a' });
  await remove({ task_id: id });
  const { task_result: results } = await api.call('addTask', {
    task_list: {
      name: 'a',
      enable: 1,
      module: 1,
      type: 2,
      start_time: '@every 1m',
      url: 'http://a.example/',
      method: 'get',
    },
  });
  expect(results).toMatchObject([{ err: '' }]);
  expect(results[0]?.task_id).not.toBe(id);
});
