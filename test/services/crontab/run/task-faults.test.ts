// Turns on a real Postgres with tasks that cannot be planned: each is put off alone, and told.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { until } from '../../../helpers/test-client.ts';
import type { CrontabTaskRow } from '../crontab-tables.ts';
import { idsOf, secondMs, useTurns } from './use-turns.ts';

const { tables, turn, lately, addDue, addYearly } = useTurns();

describe('a task that cannot be understood', () => {
  test.each<[string, CrontabTaskRow]>([
    ['a start time that is none', { start_time: 'now and then' }],
    ['an empty start time', { start_time: '' }],
    ['an unknown time zone', { time_zone: 'Mars/Olympus' }],
    ['a type that its start time contradicts', { type: 5 }],
    ['an infinite anchor', { anchorAt: Infinity }],
  ])('for %s is put off, told in the log, and keeps no other from its time', async (_name, row) => {
    const dueMs = await lately();
    const broken = await addDue(dueMs, row);
    const sound = await addYearly(dueMs);
    expect((await turn()).planned).toMatchObject([{ taskId: sound, runAt: dueMs }]);
    const { next_at: nextAt } = await tables.readTask(broken);
    expect(Number(nextAt) - (await tables.readNow())).toBeGreaterThan(50_000);
    expect(tables.logged).toMatchObject([{ level: 50, task: broken, msg: 'a task cannot be scheduled' }]);
    expect(await tables.readLog()).toEqual([]);
  });

  test('goes on where it stopped when it can be understood again', async () => {
    const dueMs = await lately(10 * secondMs);
    const id = await addDue(dueMs, { time_zone: 'Mars/Olympus' });
    await turn();
    await tables.query(sql`update crontab_task set time_zone = 'UTC', next_at = now()`);
    expect((await turn()).planned).toMatchObject([{ taskId: id, runAt: dueMs, missed: undefined }]);
  });
});

describe('a task whose run cannot be stored', () => {
  /** Postgres refuses runs of this task. */
  async function refuseRunsOf(id: string): Promise<void> {
    await tables.query(sql`
      alter table crontab_run add constraint refused check (task_id <> ${sql.lit(Number(id))}) not valid`);
  }
  const refuseNothing = () => tables.query(sql`alter table crontab_run drop constraint if exists refused`);

  test('has nothing stored, is put off, and keeps no other from its time', async () => {
    const dueMs = await lately();
    const sound: string[] = [];
    for (let index = 0; index < 4; index += 1) sound.push(await addYearly(dueMs));
    const bad = await addYearly(dueMs);
    for (let index = 0; index < 4; index += 1) sound.push(await addYearly(dueMs));
    await refuseRunsOf(bad);
    try {
      const { planned, isFull } = await turn();
      expect(idsOf(planned)).toEqual(sound.toSorted());
      expect(isFull).toBe(true);
      expect(await tables.readRuns()).toHaveLength(8);
      const { next_at: nextAt, last_at: lastAt } = await tables.readTask(bad);
      expect(Number(nextAt) - (await tables.readNow())).toBeGreaterThan(50_000);
      expect(lastAt).toBeNull();
      expect(tables.logged).toMatchObject([
        { level: 50, task: bad, msg: 'a task cannot be scheduled', err: { code: '23514' } },
      ]);
    } finally {
      await refuseNothing();
    }
    await tables.query(sql`update crontab_task set next_at = now() where task_id = ${bad}`);
    expect((await turn()).planned).toMatchObject([{ taskId: bad, runAt: dueMs }]);
  });

  test('ahead of its time is put off as well, and not tried again and again until then', async () => {
    const bad = await addYearly((await lately()) + 2 * secondMs);
    await refuseRunsOf(bad);
    try {
      await until(async () => {
        await turn();
        return tables.logged.length > 0;
      });
      await turn();
      await turn();
    } finally {
      await refuseNothing();
    }
    expect(tables.logged).toHaveLength(1);
    const { next_at: nextAt } = await tables.readTask(bad);
    expect(Number(nextAt) - (await tables.readNow())).toBeGreaterThan(50_000);
  });

  test('because there is one of that time has that one alone', async () => {
    const dueMs = await lately();
    const id = await addYearly(dueMs, { overlap: 'allow' });
    const run = await tables.addRun({ taskId: id, scheduledAt: dueMs });
    expect((await turn()).planned).toEqual([]);
    expect(await tables.readRuns()).toMatchObject([{ id: run }]);
    expect(tables.logged).toMatchObject([{ task: id, err: { code: '23505' } }]);
  });
});
