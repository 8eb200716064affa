// Turns on a real Postgres that find a task whose run before is still under way: that is decided at the very time.
import { type KyselyPlugin, sql } from 'kysely';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Turn, takeTurn } from '../../../../services/crontab/run/take-turn.ts';
import { until } from '../../../helpers/test-client.ts';
import { idsOf, minuteMs, secondMs, useTurns } from './use-turns.ts';

const { tables, turn, turnUntilPlanned, lately, addYearly } = useTurns();

beforeAll(async () => {
  // When it was that a turn stored something: no turn writes these.
  for (const table of ['crontab_run', 'crontab_log']) {
    await tables.query(sql`
      alter table ${sql.table(table)} add column stored_at timestamptz not null default clock_timestamp()`);
  }
});

describe('a task with a run under way', () => {
  test('is passed over at its very time, not before, and the log says so', async () => {
    const nextMs = (await lately()) + 2 * secondMs;
    const id = await addYearly(nextMs, { name: 'slow' });
    await tables.addRun({ taskId: id, leasedFor: 60_000 });
    const [planned] = await turnUntilPlanned(1);
    expect(planned).toMatchObject({ taskId: id, runAt: undefined, skippedAt: nextMs, missed: undefined });
    const at = new Date(nextMs);
    const log = await tables.query(sql`select *, stored_at >= scheduled_at as is_in_time from crontab_log`);
    expect(log).toMatchObject([
      {
        ...{
          scheduled_at: at,
          try: 0,
          task_id: id,
          name: 'slow',
          run_type: 1,
          status: 4,
          begin_at: at,
          end_at: at,
        },
        ...{ err: 'OVERLAP: the run before it is still under way', missed: 0, is_in_time: true },
      },
    ]);
    expect(await tables.readRuns()).toHaveLength(1);
    expect(await tables.readTask(id)).toMatchObject({ last_at: at });
  });

  test('is planned when that has ended by then', async () => {
    const nextMs = (await lately()) + 2 * secondMs;
    const id = await addYearly(nextMs);
    const run = await tables.addRun({ taskId: id, leasedFor: 60_000 });
    // Half a second before it would be planned otherwise.
    await until(async () => {
      expect((await turn()).planned).toEqual([]);
      return (await tables.readNow()) > nextMs - 400;
    });
    await tables.query(sql`delete from crontab_run where id = ${run}`);
    expect(await turnUntilPlanned(1)).toMatchObject([{ runAt: nextMs, skippedAt: undefined }]);
  });

  test('that may overlap is planned ahead like any other', async () => {
    const nextMs = (await lately()) + secondMs;
    const id = await addYearly(nextMs, { overlap: 'allow' });
    await tables.addRun({ taskId: id, leasedFor: 60_000 });
    expect(await turnUntilPlanned(1)).toMatchObject([{ taskId: id, runAt: nextMs, skippedAt: undefined }]);
    expect(await tables.readLog()).toEqual([]);
  });

  test('that waits, is held, is to be retried or was asked for once more is busy; what is dead is not', async () => {
    const dueMs = await lately();
    const busy = [
      { dueIn: 0 },
      { leasedFor: 1000, expiresIn: -1000 },
      { leasedFor: -1000, expiresIn: -1000, lapses: 2 },
      { dueIn: 3_600_000, try: 2, expiresIn: 7_200_000 },
      { runType: 3, leasedFor: 1000 },
    ];
    const skipped: string[] = [];
    for (const run of busy) {
      const id = await addYearly(dueMs);
      await tables.addRun({ taskId: id, ...run });
      skipped.push(id);
    }
    const id = await addYearly(dueMs);
    await tables.addRun({ taskId: id, expiresIn: -1 });
    await tables.addRun({ taskId: '999999' });
    const { planned } = await turn();
    expect(idsOf(planned.filter(({ skippedAt }) => skippedAt !== undefined))).toEqual(skipped.toSorted());
    expect(idsOf(planned.filter(({ runAt }) => runAt !== undefined))).toEqual([id]);
  });

  test('has what was missed in the log beside what is passed over', async () => {
    const dueMs = await lately();
    const id = await tables.addTask({ anchorAt: dueMs - 2 * minuteMs, nextAt: dueMs - minuteMs });
    await tables.addRun({ taskId: id, leasedFor: 60_000 });
    await turn();
    const at = (ms: number) => new Date(ms);
    expect(await tables.readLog()).toMatchObject([
      { status: 5, begin_at: at(dueMs - minuteMs), end_at: at(dueMs - minuteMs), missed: 1 },
      { status: 4, begin_at: at(dueMs), end_at: at(dueMs), missed: 0 },
    ]);
    expect(await tables.readRuns()).toHaveLength(1);
  });

  /** A turn during which another replica commits a run of the task, once it is locked; and how long before its time. */
  async function turnBesideAnother(taskId: string): Promise<{ turn: Turn; aheadMs: number | undefined }> {
    let aheadMs: number | undefined;
    const plugin: KyselyPlugin = {
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        const { next_at: nextAt, now } = result.rows[0] ?? {};
        if (nextAt !== undefined) {
          aheadMs = Number(nextAt) - Number(now);
          await tables.addRun({ taskId, leasedFor: 60_000 });
        }
        return result;
      },
    };
    const choice = { limit: 10, among: undefined, onLocked: () => undefined };
    const turn = await tables.database.transact((db) =>
      takeTurn(db.withPlugin(plugin), choice, tables.logger),
    );
    return { turn, aheadMs };
  }

  test('is seen to be busy also where that run is newer than the look for due tasks', async () => {
    const dueMs = await lately();
    const { turn } = await turnBesideAnother(await addYearly(dueMs));
    expect(turn.planned).toMatchObject([{ runAt: undefined, skippedAt: dueMs }]);
  });

  test('that is newer than the look for due tasks has a time that is still ahead left until then', async () => {
    await until(async () => {
      await tables.query(sql`truncate crontab_task, crontab_run`);
      const id = await addYearly((await lately()) + secondMs);
      const { turn, aheadMs = 0 } = await turnBesideAnother(id);
      if (aheadMs <= 0) return false;
      expect(turn).toMatchObject({ planned: [], isFull: false });
      expect(await tables.readTask(id)).toMatchObject({ last_at: null });
      return true;
    });
  });
});
