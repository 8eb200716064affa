// Runs that nobody finishes, on a real Postgres: each is called once more, or ends as a row that says why not.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { buryRuns, reapRuns } from '../../../../services/crontab/run/clear-runs.ts';
import { useCrontabTables } from '../crontab-tables.ts';

const tables = useCrontabTables();

describe('reapRuns', () => {
  test('makes runs ready again whose lease ran out, a little later, and tells how many', async () => {
    const lapsed = await tables.addRun({ leasedFor: -1, dueIn: -5000, expiresIn: -1000 });
    await tables.addRun({ leasedFor: -1, lapses: 1 });
    await tables.addRun({ leasedFor: 1000 });
    await tables.addRun({ leasedFor: -1, lapses: 2 });
    expect(await reapRuns(tables.database)).toBe(2);
    expect(await tables.query(sql`select state, lapses from crontab_run order by id`)).toEqual([
      { state: 0, lapses: 1 },
      { state: 0, lapses: 2 },
      { state: 1, lapses: 0 },
      { state: 1, lapses: 2 },
    ]);
    const [left] = await tables.query(sql<{ dueIn: number; expiresIn: number }>`
      select (extract(epoch from due_at - now()) * 1000)::float8 as "dueIn",
        (extract(epoch from expires_at - due_at) * 1000)::float8 as "expiresIn"
      from crontab_run where id = ${lapsed}`);
    // For whoever could not reach the database, and has it done.
    expect(left?.dueIn).toBeGreaterThan(0);
    expect(left?.dueIn).toBeLessThanOrEqual(2000);
    expect(left?.expiresIn).toBeGreaterThanOrEqual(10_000);
  });

  test('by several replicas at once counts each lapse once', async () => {
    for (let index = 0; index < 40; index += 1) await tables.addRun({ leasedFor: -1 });
    const counts = await Promise.all(Array.from({ length: 4 }, () => reapRuns(tables.database)));
    counts.push(await reapRuns(tables.database));
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(40);
    expect(await tables.query(sql`select distinct lapses from crontab_run`)).toEqual([{ lapses: 1 }]);
  });
});

describe('buryRuns', () => {
  test('logs a run that nobody had room for as missed, with what would have been called', async () => {
    const taskId = await tables.addTask({
      name: 'late "x"',
      method: 'get',
      url: 'http://h/',
      body: '{"a":1}',
    });
    const id = await tables.addRun({ taskId, dueIn: -9000, expiresIn: -1, runType: 3, try: 1 });
    const [run] = await tables.readRuns();
    expect(await buryRuns(tables.database)).toEqual({ lost: 0, expired: 1 });
    expect(await tables.readRuns()).toEqual([]);
    expect(await tables.readLog()).toEqual([
      {
        scheduled_at: run?.scheduled_at,
        run_id: id,
        try: 1,
        task_id: taskId,
        name: 'late "x"',
        run_type: 3,
        status: 5,
        begin_at: run?.due_at,
        end_at: run?.due_at,
        method: 'get',
        url: 'http://h/',
        body: '{"a":1}',
        resp: '',
        resp_code: null,
        err: 'EXPIRED: nobody had room to call it in time',
        missed: 1,
      },
    ]);
  });

  test('logs a run whose holders were all lost as failed', async () => {
    const taskId = await tables.addTask();
    const id = await tables.addRun({ taskId, leasedFor: -1, lapses: 2 });
    expect(await buryRuns(tables.database)).toEqual({ lost: 1, expired: 0 });
    expect(await tables.readLog()).toMatchObject([
      {
        run_id: id,
        run_type: 1,
        status: 3,
        err: 'LOST: the service ended during the call, what came of it is not known',
        missed: 0,
      },
    ]);
  });

  test('tells what was held and lost from what nobody ever held', async () => {
    await tables.addRun({ taskId: '1', leasedFor: -1, lapses: 2 });
    await tables.addRun({ taskId: '2', expiresIn: -1, lapses: 1, attempt: 1 });
    await tables.addRun({ taskId: '3', expiresIn: -1, attempt: 1 });
    await tables.addRun({ taskId: '4', expiresIn: -1 });
    expect(await buryRuns(tables.database)).toEqual({ lost: 2, expired: 2 });
    const log = (await tables.readLog()).map((row) => [row.task_id, row.err.split(':')[0]]);
    expect(log.toSorted()).toEqual([
      ['1', 'LOST'],
      ['2', 'LOST'],
      ['3', 'EXPIRED'],
      ['4', 'EXPIRED'],
    ]);
  });

  test('logs runs of a task that was deleted without its name', async () => {
    await tables.addRun({ taskId: '999999', expiresIn: -1 });
    await buryRuns(tables.database);
    expect(await tables.readLog()).toMatchObject([
      { task_id: '999999', name: '', method: '', url: '', body: '' },
    ]);
  });

  test('leaves runs alone that may still be called, or are being called', async () => {
    await tables.addRun();
    await tables.addRun({ leasedFor: 1000, expiresIn: -1, lapses: 2 });
    await tables.addRun({ leasedFor: -1, expiresIn: -1, lapses: 1 });
    expect(await buryRuns(tables.database)).toEqual({ lost: 0, expired: 0 });
    expect(await tables.readRuns()).toHaveLength(3);
    expect(await tables.readLog()).toEqual([]);
  });

  test('by several replicas at once logs each run once', async () => {
    for (let index = 0; index < 60; index += 1) await tables.addRun({ expiresIn: -1 });
    const counts = await Promise.all(Array.from({ length: 4 }, () => buryRuns(tables.database)));
    counts.push(await buryRuns(tables.database));
    expect(counts.reduce((sum, { expired }) => sum + expired, 0)).toBe(60);
    expect(await tables.readLog()).toHaveLength(60);
  });
});
