// Figures of the queue on a real Postgres.
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { readQueueState } from '../../../infra/database/queue-state.ts';
import { useRecurringTables } from '../../helpers/recurring-tables.ts';

const tables = useRecurringTables();

test('counts what is ready and what is held, and tells how long the oldest ready run has been due', async () => {
  await tables.addRun({ dueIn: -5000 });
  await tables.addRun({ dueIn: 60_000 });
  await tables.addRun({ dueIn: -90_000, leasedFor: 1000 });
  const { oldestReadyS, ...counts } = await readQueueState(tables.database, 'probe_run');
  expect(counts).toEqual({ ready: 2, leased: 1 });
  expect(oldestReadyS).toBeGreaterThan(4.9);
  expect(oldestReadyS).toBeLessThan(30);
});

test('tells of an empty queue', async () => {
  expect(await readQueueState(tables.database, 'probe_run')).toEqual({
    ready: 0,
    leased: 0,
    oldestReadyS: 0,
  });
});

test('gives up when its time is over', async () => {
  await tables.database.transact(async (db) => {
    await sql`lock table probe_run in access exclusive mode`.execute(db);
    const reading = readQueueState(tables.database, 'probe_run', { limitMs: 500 });
    await expect(reading).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const { rows } = await sql<{ count: number }>`
      select count(*)::integer as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    expect(rows).toEqual([{ count: 0 }]);
  });
});
