// Partitions by day on a real Postgres: made before they are needed, dropped when their time is over.
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createDatabase, type Database } from '../../../infra/database/database.ts';
import {
  maintainDayPartitions,
  type PartitionState,
  readPartitionState,
} from '../../../infra/database/day-partitions.ts';
import { createLogger } from '../../../infra/logger.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';

const dayMs = 24 * 3_600_000;
const names = ['probe_slot', 'probe_result'] as const;

let testDatabase: TestDatabase;
let database: Database;
/** When the present day began, UTC, by the clock of the database. */
let today: number;

beforeEach(async () => {
  testDatabase = await createTestDatabase();
  database = createDatabase({
    url: testDatabase.url,
    maxConnections: 4,
    logger: createLogger('test', 'silent'),
  });
  const [row] = await query<{ now: Date }>('select now()');
  today = Math.floor((row?.now.getTime() ?? Number.NaN) / dayMs) * dayMs;
});
afterEach(async () => {
  await database.stop();
  await testDatabase.drop();
});

async function maintain(retentionDays = 7, daysAhead = 3): Promise<PartitionState> {
  await maintainDayPartitions(database, names, { daysAhead, retentionDays });
  return readPartitionState(database, names);
}

async function query<Row>(text: string): Promise<Row[]> {
  return database.run(async (db) => (await sql<Row>`${sql.raw(text)}`.execute(db)).rows);
}

/** `YYYYMMDD` of a day, counted from today. */
function nameOf(offset: number): string {
  return new Date(today + offset * dayMs).toISOString().slice(0, 10).replaceAll('-', '');
}

const at = (offset: number, ms = 0) => new Date(today + offset * dayMs + ms).toISOString();

/** The partitions of a table, without the default one. */
async function listPartitions(table: string): Promise<string[]> {
  const rows = await query<{ name: string }>(`
    select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
    where inhparent = '${table}'::regclass and relname <> '${table}_default' order by 1`);
  return rows.map(({ name }) => name.slice(table.length + 1));
}

async function addSlots(...times: string[]): Promise<void> {
  const values = times.map((time, index) => `('${time}', ${index + 1}, now(), 1, 1, 1, 0, '[]')`);
  await query(`
    insert into probe_slot (scheduled_at, task_id, expires_at, agents, runs, cells, missed, skipped)
    values ${values.join(',')}`);
}

/** Where each slot lies, in the order of their times. */
async function placesOfSlots(): Promise<string[]> {
  const rows = await query<{ place: string }>(
    'select tableoid::regclass::text as place from probe_slot order by scheduled_at',
  );
  return rows.map(({ place }) => place.slice('probe_slot_'.length));
}

function addPartition(table: string, offset: number): Promise<unknown> {
  return query(`
    create table ${table}_${nameOf(offset)} partition of ${table}
    for values from ('${at(offset)}') to ('${at(offset + 1)}')`);
}

/** A transaction that has read these tables, until `work` is done. */
async function whileRead(tables: string[], work: () => Promise<void>): Promise<void> {
  const reader = new Client({ connectionString: testDatabase.url });
  await reader.connect();
  try {
    await reader.query('begin');
    for (const table of tables) await reader.query(`select from ${table}`);
    await work();
    await reader.query('commit');
  } finally {
    await reader.end();
  }
}

test('a database that was just migrated has the days from yesterday to three ahead', async () => {
  for (const table of names) expect(await listPartitions(table)).toEqual([-1, 0, 1, 2, 3].map(nameOf));
  await addSlots(at(-1), at(0), at(1, -1), at(3, dayMs - 1), at(4));
  expect(await placesOfSlots()).toEqual([nameOf(-1), nameOf(0), nameOf(0), nameOf(3), 'default']);
});

describe('maintainDayPartitions', () => {
  beforeEach(async () => {
    for (const table of names) {
      for (const day of await listPartitions(table)) {
        if (day !== 'default') await query(`drop table ${table}_${day}`);
      }
    }
  });

  test('makes the days from yesterday on ahead, for every table', async () => {
    expect(await maintain()).toEqual({ count: 10, daysAhead: 3 });
    for (const table of names) {
      expect(await listPartitions(table)).toEqual([-1, 0, 1, 2, 3].map(nameOf));
    }
    await addSlots(at(-1), at(0), at(1, -1), at(3, dayMs - 1), at(4));
    expect(await placesOfSlots()).toEqual([nameOf(-1), nameOf(0), nameOf(0), nameOf(3), 'default']);
  });

  test('gives partitions the keys and indexes of their table', async () => {
    await maintain();
    await addSlots(at(0));
    await expect(addSlots(at(0))).rejects.toMatchObject({ code: '23505' });
    for (const table of names) {
      const [counts] = await query<{ own: number; of_default: number }>(`
        select count(*) filter (where tablename = '${table}_${nameOf(1)}')::integer as own,
          count(*) filter (where tablename = '${table}_default')::integer as of_default
        from pg_indexes`);
      expect(counts?.own).toBe(counts?.of_default);
      expect(counts?.own).toBeGreaterThan(1);
    }
  });

  test('changes nothing when all is as it should be', async () => {
    await maintain();
    const before = await query('select oid, relname from pg_class order by oid');
    expect(await maintain()).toEqual({ count: 10, daysAhead: 3 });
    expect(await query('select oid, relname from pg_class order by oid')).toEqual(before);
  });

  test('may run several times at once', async () => {
    await addSlots(at(0), at(1));
    const states = await Promise.all([maintain(), maintain(), maintain()]);
    expect(states.at(-1)).toEqual({ count: 10, daysAhead: 3 });
    expect(await placesOfSlots()).toEqual([nameOf(0), nameOf(1)]);
  });

  test('moves rows that came before their day’s partition there, and leaves the others', async () => {
    await addSlots(at(-2), at(-1), at(0, 5), at(1, -1), at(1), at(9));
    expect(await placesOfSlots()).toEqual(Array.from({ length: 6 }, () => 'default'));
    const before = await query('select * from probe_slot order by scheduled_at');
    await maintain();
    expect(await placesOfSlots()).toEqual([
      'default',
      nameOf(-1),
      nameOf(0),
      nameOf(0),
      nameOf(1),
      'default',
    ]);
    expect(await query('select * from probe_slot order by scheduled_at')).toEqual(before);
  });

  test('moves results with every column they have', async () => {
    await query(`
      insert into probe_result (scheduled_at, task_id, agent_id, cell, device, domain, rtype, dns_server, status, delay_ms,
        lag_ms, transport, truncated, tries, flags, answer, authority, additional)
      values ('${at(0)}', 1, 'a', 2, '{"city": "x"}', 'a.example', 'A', '1.1.1.1', 'NOERROR', 1.5, 0.5, 'tcp', true, 2,
        '{rd,ra}', '[1]', '[2]', '[3]')`);
    const before = await query('select * from probe_result');
    await maintain();
    expect(await query('select * from probe_result')).toEqual(before);
    expect(await query(`select from probe_result_${nameOf(0)}`)).toHaveLength(1);
  });

  test('treats the log of callbacks like the others', async () => {
    const listed = (await listPartitions('crontab_log')).filter((day) => day !== 'default');
    expect(listed).toEqual([-1, 0, 1, 2, 3].map(nameOf));
    await query(`
      insert into crontab_log (scheduled_at, run_id, try, task_id, name, run_type, status, begin_at, end_at, method, url,
        body, resp, resp_code, err, missed)
      values ('${at(5)}', 1, 2, 3, 'n', 1, 2, now(), now(), 'post', 'http://a.example', 'b', 'r', 200, 'e', 4)`);
    const before = await query('select * from crontab_log');
    await maintainDayPartitions(database, ['crontab_log'], { daysAhead: 5, retentionDays: 7 });
    expect(await query('select * from crontab_log')).toEqual(before);
    expect(await query(`select from crontab_log_${nameOf(5)}`)).toHaveLength(1);
    expect(await readPartitionState(database, ['crontab_log'])).toEqual({ count: 7, daysAhead: 5 });
  });

  test('drops the days before those that are kept, in their partitions and in the default one', async () => {
    for (const offset of [-9, -8, -7]) await addPartition('probe_slot', offset);
    await addPartition('probe_result', -400);
    await addSlots(at(-10), at(-9), at(-8, dayMs - 1), at(-7), at(-6), at(-5));
    const state = await maintain(7);
    expect(state).toEqual({ count: 11, daysAhead: 3 });
    expect(await listPartitions('probe_slot')).toEqual([-7, -1, 0, 1, 2, 3].map(nameOf));
    expect(await listPartitions('probe_result')).toEqual([-1, 0, 1, 2, 3].map(nameOf));
    expect(await placesOfSlots()).toEqual([nameOf(-7), 'default', 'default']);
  });

  test('empties the default partition of more rows than one statement deletes', async () => {
    await query(`
      insert into probe_slot (scheduled_at, task_id, expires_at, agents, runs, cells, missed, skipped)
      select '${at(-30)}', n, now(), 1, 1, 1, 0, '[]' from generate_series(1, 20001) n`);
    await addSlots(at(-2));
    await maintain();
    expect(await placesOfSlots()).toEqual(['default']);
  });

  test('tells how many days ahead there are without a gap, in the table that has the fewest', async () => {
    await maintain();
    expect(await maintain(7, 1)).toEqual({ count: 10, daysAhead: 3 });
    // A table of that name that is none of its partitions cannot become one.
    await query(`alter table probe_result detach partition probe_result_${nameOf(2)}`);
    expect(await maintain()).toEqual({ count: 9, daysAhead: 1 });
    await query(`alter table probe_slot detach partition probe_slot_${nameOf(0)}`);
    expect(await maintain()).toEqual({ count: 8, daysAhead: -1 });
  });

  test('gives up after a second where a reader is in the way, and goes on the next time', async () => {
    await whileRead(['probe_slot_default'], async () => {
      const startedAt = performance.now();
      const fault: unknown = await maintain(7, 0).catch((error: unknown) => error);
      expect(fault).toBeInstanceOf(AggregateError);
      expect(fault).toMatchObject({ errors: [{ code: '55P03' }, { code: '55P03' }] });
      expect(performance.now() - startedAt).toBeGreaterThan(900);
      expect(performance.now() - startedAt).toBeLessThan(10_000);
      expect(await listPartitions('probe_slot')).toEqual([]);
      expect(await listPartitions('probe_result')).toHaveLength(2);
    });
    expect(await maintain()).toEqual({ count: 10, daysAhead: 3 });
  });

  test('a reader of an old day keeps no other day from being made or dropped', async () => {
    for (const offset of [-20, -19, -18]) await addPartition('probe_slot', offset);
    await addPartition('probe_result', -20);
    await addSlots(at(-30));
    await whileRead([`probe_slot_${nameOf(-19)}`], async () => {
      await expect(maintain()).rejects.toMatchObject({ code: '55P03' });
      expect(await listPartitions('probe_slot')).toEqual([-19, -1, 0, 1, 2, 3].map(nameOf));
      expect(await listPartitions('probe_result')).toEqual([-1, 0, 1, 2, 3].map(nameOf));
      expect(await placesOfSlots()).toEqual([]);
    });
    expect(await maintain()).toEqual({ count: 10, daysAhead: 3 });
  });

  test('ends after the step under way when it is told to', async () => {
    await query(`
      insert into probe_slot (scheduled_at, task_id, expires_at, agents, runs, cells, missed, skipped)
      select '${at(-30)}', n, now(), 1, 1, 1, 0, '[]' from generate_series(1, 20001) n`);
    const stopping = new AbortController();
    const stoppedByFirst: Database = {
      ...database,
      async transact(work) {
        const result = await database.transact(work);
        stopping.abort();
        return result;
      },
    };
    const options = { daysAhead: -2, retentionDays: 7 };
    await maintainDayPartitions(stoppedByFirst, ['probe_slot'], { ...options, signal: stopping.signal });
    expect(await placesOfSlots()).toHaveLength(10_001);

    await maintainDayPartitions(database, names, {
      daysAhead: 3,
      retentionDays: 7,
      signal: AbortSignal.abort(),
    });
    expect(await listPartitions('probe_slot')).toEqual([]);
  });
});
