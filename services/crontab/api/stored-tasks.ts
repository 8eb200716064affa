// Rows of crontab_task as a change sees them: found by id or name, and locked until the transaction ends.
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import type { CrontabTaskKey } from '../../../contracts/crontab.ts';
import { formatNumbers } from '../../../infra/database/statement-values.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { definitionColumns } from './task-definition.ts';

const scheduleColumns = [
  'task_id',
  'name',
  'enable',
  'type',
  'start_time',
  'time_zone',
  'anchor_at',
  'next_at',
  'last_at',
] as const;

type TaskRow = Selectable<Tables['crontab_task']>;
/** What a schedule that goes on or ends needs to be known. */
export type ScheduledTask = Pick<TaskRow, (typeof scheduleColumns)[number]>;
/** All of a task. */
export type WholeTask = ScheduledTask & Pick<TaskRow, (typeof definitionColumns)[number] | 'target'>;

/** `nowMs`: when the transaction began, by the clock of the database. */
export type LockedTasks<Row> = { rows: Row[]; nowMs: number };

/** Until the transaction ends no turn plans a time of these tasks. Once in a transaction. */
export function lockTasks(
  db: Transaction<Tables>,
  keys: readonly CrontabTaskKey[],
): Promise<LockedTasks<ScheduledTask>> {
  return lock(db, keys, scheduleColumns);
}

/** As `lockTasks`, with all columns. */
export function lockWholeTasks(
  db: Transaction<Tables>,
  keys: readonly CrontabTaskKey[],
): Promise<LockedTasks<WholeTask>> {
  return lock(db, keys, [...scheduleColumns, ...definitionColumns, 'target']);
}

/** Rows that are read at once: their times take a while to parse. */
const fetchSize = 500;

/** In the order of their ids, so that two changes of the same tasks never wait for each other. */
async function lock<Row>(
  db: Transaction<Tables>,
  keys: readonly CrontabTaskKey[],
  columns: readonly (keyof Row & string)[],
): Promise<LockedTasks<Row>> {
  const clock = await sql<{ now: Date }>`select now()`.execute(db);
  await sql`
    declare locked_task cursor for
    select ${sql.join(columns.map((column) => sql.ref(column)))} from crontab_task where ${isNamedBy(keys)}
    order by task_id for update`.execute(db);
  const found: Row[] = [];
  for (let isMore = true; isMore; ) {
    const { rows } = await sql<Row>`fetch ${sql.lit(fetchSize)} from locked_task`.execute(db);
    found.push(...rows);
    isMore = rows.length === fetchSize;
  }
  return { rows: found, nowMs: clock.rows[0]?.now.getTime() ?? Number.NaN };
}

export function isNamedBy(keys: readonly CrontabTaskKey[]): RawBuilder<boolean> {
  const ids = keys.flatMap(({ task_id: id }) => (id === undefined ? [] : [id]));
  const names = keys.flatMap(({ task_id: id, name }) =>
    id !== undefined || name === undefined ? [] : [name],
  );
  return sql`(task_id = any (${formatNumbers(ids)}::bigint[]) or name = any (${names}::text[]))`;
}
