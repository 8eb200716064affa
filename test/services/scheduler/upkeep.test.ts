// Upkeep on a real Postgres: what one part of it cannot do keeps no other from being done.
import { sql } from 'kysely';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { doUpkeep, removeOldSessions } from '../../../services/scheduler/upkeep.ts';
import { useRecurringTables } from '../../helpers/recurring-tables.ts';

const tables = useRecurringTables();
const hourMs = 3_600_000;

async function listSessions(): Promise<string[]> {
  const rows = await tables.query(sql<{ agent_id: string }>`select agent_id from agent_session order by 1`);
  return rows.map(({ agent_id: id }) => id);
}

test('removes sessions though a partition cannot be dropped, and tells of it', async () => {
  await tables.addAgent('gone', { heardIn: -25 * hourMs });
  await tables.addAgent('here');
  await tables.query(sql`
    create table probe_slot_20200101 partition of probe_slot for values from ('2020-01-01') to ('2020-01-02')`);
  const reader = new Client({ connectionString: tables.url });
  await reader.connect();
  const { signal } = new AbortController();
  try {
    await reader.query('begin');
    await reader.query('select from probe_slot_20200101');
    await expect(doUpkeep(tables.database, { retentionDays: 7, signal })).rejects.toMatchObject({
      code: '55P03',
    });
    expect(await listSessions()).toEqual(['here']);
    await reader.query('commit');
  } finally {
    await reader.end();
  }
  await doUpkeep(tables.database, { retentionDays: 7, signal });
  expect(await tables.query(sql`select to_regclass('probe_slot_20200101') as it`)).toEqual([{ it: null }]);
});

test('removeOldSessions forgets who was not heard of for a day', async () => {
  await tables.addAgent('a', { heardIn: -23 * hourMs });
  await tables.addAgent('b', { heardIn: -25 * hourMs });
  await tables.addAgent('c');
  await removeOldSessions(tables.database);
  expect(await listSessions()).toEqual(['a', 'c']);
  expect(await tables.query(sql`select agent_id from agent`)).toHaveLength(3);
});

test('removeOldSessions keeps those who were heard of before nobody could be', async () => {
  await tables.addAgent('a', { heardIn: -50 * hourMs });
  await tables.addAgent('b', { heardIn: -60 * hourMs });
  await tables.addAgent('c', { heardIn: -80 * hourMs });
  await removeOldSessions(tables.database);
  expect(await listSessions()).toEqual(['a', 'b']);
});
