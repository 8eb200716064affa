// Tables in partitions by day (UTC): made ahead, dropped when they are older than is kept.
import { type Kysely, sql, type Transaction } from 'kysely';
import { tryAll } from '../try-all.ts';
import type { Database } from './database.ts';
import type { Tables } from './tables.ts';

/** Tables partitioned by day of `scheduled_at`; each has a default partition for rows whose day has none of its own. */
export type DayPartitionedTable = keyof Pick<Tables, 'probe_result' | 'probe_slot' | 'crontab_log'>;

export type PartitionState = {
  /** Partitions of all tables, without the default ones. */
  count: number;
  /** Days after today for which every table has its partition; -1 when today has none. */
  daysAhead: number;
};

/** Whoever comes after us queues behind us, so we wait no longer for a lock than they can wait for us. */
const lockTimeoutMs = 1000;
/** Rows deleted from a default partition by one statement. */
const deleteBatch = 10_000;
/** Half of what such a process may hold a connection: when that is cut, its statement does not go on for long. */
const statementLimit = '30s';
/** Any number that no other advisory lock of this database has. */
const lockKey = 7_140_331;
const dayMs = 24 * 3600 * 1000;

/**
 * Makes the partitions of yesterday, today and `daysAhead` more days, of all tables, and then drops what lies more than
 * `retentionDays` days before today, by the database's clock. May run in several processes at once: they take turns. What
 * fails, as for want of a lock within a second, keeps nothing else from being tried; throws in the end, and the next call
 * tries it again. An aborted `signal` ends it after the step under way.
 */
export async function maintainDayPartitions(
  database: Database,
  tables: readonly DayPartitionedTable[],
  options: { daysAhead: number; retentionDays: number; signal?: AbortSignal },
): Promise<void> {
  const { daysAhead, retentionDays, signal } = options;
  const today = await database.run(readToday);
  const oldest = new Date(today - retentionDays * dayMs);
  const present = new Map<DayPartitionedTable, string[]>();
  for (const table of tables) present.set(table, await database.run((db) => listDays(db, table)));

  const steps: (() => Promise<void>)[] = [];
  for (const [table, days] of present) {
    for (let offset = -1; offset <= daysAhead; offset += 1) {
      const day = new Date(today + offset * dayMs);
      if (days.includes(formatDay(day))) continue;
      steps.push(() => alone(database, (db) => createDay(db, table, day)));
    }
  }
  for (const [table, days] of present) {
    for (const day of days.filter((each) => each < formatDay(oldest))) {
      steps.push(() => alone(database, (db) => dropDay(db, table, day)));
    }
    steps.push(() => emptyDefault(database, table, oldest, signal));
  }
  await tryAll(steps, signal);
}

/** How many partitions there are, by the database's clock. */
export async function readPartitionState(
  database: Database,
  tables: readonly DayPartitionedTable[],
): Promise<PartitionState> {
  return database.run(async (db) => readState(db, tables, await readToday(db)));
}

async function readToday(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ ms: number }>`
    select (extract(epoch from date_trunc('day', now() at time zone 'UTC')) * 1000)::float8 as ms`.execute(
    db,
  );
  return rows[0]?.ms ?? Number.NaN;
}

/** One transaction at a time over all processes, for locks that nobody should have to wait for long. */
async function alone(database: Database, work: (db: Transaction<Tables>) => Promise<void>): Promise<void> {
  await database.transact(async (db) => {
    await limitTime(db);
    await sql`select pg_advisory_xact_lock(${lockKey})`.execute(db);
    await work(db);
  });
}

async function limitTime(db: Transaction<Tables>): Promise<void> {
  await sql`set local lock_timeout = ${sql.lit(lockTimeoutMs)}`.execute(db);
  await sql`set local statement_timeout = ${sql.lit(statementLimit)}`.execute(db);
}

/**
 * Attaching a table locks its parent against other changes of its structure only; creating it in place would lock out
 * everybody. Rows of this day that came before their partition move there from the default one.
 */
async function createDay(db: Transaction<Tables>, table: DayPartitionedTable, day: Date): Promise<void> {
  const name = partitionName(table, formatDay(day));
  const parent = sql.table(table);
  const partition = sql.table(name);
  const fallback = sql.table(`${table}_default`);
  const { rows } = await sql<{ is_there: boolean }>`
    select to_regclass(${name}) is not null as is_there`.execute(db);
  if (rows[0]?.is_there) return;
  const from = sql.lit(day.toISOString());
  const to = sql.lit(new Date(day.getTime() + dayMs).toISOString());
  await sql`create table ${partition} (like ${parent} including defaults)`.execute(db);
  await sql`lock table ${fallback} in access exclusive mode`.execute(db);
  await sql`
    with moved as (delete from ${fallback} where scheduled_at >= ${from} and scheduled_at < ${to} returning *)
    insert into ${partition} select * from moved`.execute(db);
  await sql`alter table ${parent} attach partition ${partition} for values from (${from}) to (${to})`.execute(
    db,
  );
}

async function dropDay(db: Transaction<Tables>, table: DayPartitionedTable, day: string): Promise<void> {
  await sql`drop table if exists ${sql.table(partitionName(table, day))}`.execute(db);
}

async function emptyDefault(
  database: Database,
  table: DayPartitionedTable,
  oldest: Date,
  signal?: AbortSignal,
): Promise<void> {
  const fallback = sql.table(`${table}_default`);
  let deleted: bigint | undefined;
  do {
    const { numAffectedRows } = await database.transact(async (db) => {
      await limitTime(db);
      return sql`
        delete from ${fallback} where ctid = any (array(
          select ctid from ${fallback} where scheduled_at < ${oldest} limit ${deleteBatch}))`.execute(db);
    });
    deleted = numAffectedRows;
  } while (deleted === BigInt(deleteBatch) && !signal?.aborted);
}

async function readState(
  db: Kysely<Tables>,
  tables: readonly DayPartitionedTable[],
  today: number,
): Promise<PartitionState> {
  let count = 0;
  let daysAhead = Infinity;
  for (const table of tables) {
    const days = new Set(await listDays(db, table));
    count += days.size;
    let ahead = -1;
    while (days.has(formatDay(new Date(today + (ahead + 1) * dayMs)))) ahead += 1;
    daysAhead = Math.min(daysAhead, ahead);
  }
  return { count, daysAhead };
}

/** The days that have a partition, as they stand in its name. */
async function listDays(db: Kysely<Tables>, table: DayPartitionedTable): Promise<string[]> {
  const { rows } = await sql<{ day: string }>`
    select right(child.relname, 8) as day
    from pg_inherits join pg_class child on child.oid = inhrelid
    where inhparent = ${table}::regclass and child.relname ~ '_[0-9]{8}$'
    order by 1`.execute(db);
  return rows.map(({ day }) => day);
}

function partitionName(table: DayPartitionedTable, day: string): string {
  return `${table}_${day}`;
}

/** `YYYYMMDD` */
function formatDay(day: Date): string {
  return day.toISOString().slice(0, 10).replaceAll('-', '');
}
