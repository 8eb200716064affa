// The statement for one page of the log.
import { type RawBuilder, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { crontabRunTypes, crontabStatuses } from '../../../contracts/crontab.ts';
import type { CrontabLogRequest } from '../../../contracts/crontab-api.ts';
import type { Tables } from '../../../infra/database/tables.ts';

export type LogRow = Selectable<Tables['crontab_log']>;
export type LogFilter = Pick<CrontabLogRequest, 'status' | 'run_type' | 'from' | 'to'> & {
  /** Undefined for all. */
  taskIds: readonly string[] | undefined;
};
/** Where an entry lies in the order. Nominal times are whole milliseconds, so that a `Date` holds them exactly. */
export type LogPosition = [scheduledAt: string, runId: string, tries: number];

export const newestPosition: LogPosition = ['infinity', '0', 0];

export const logPositionSchema: z.ZodType<LogPosition> = z.tuple([
  // Postgres has no year 0.
  z.union([z.iso.datetime().refine((moment) => !moment.startsWith('0000')), z.literal('infinity')]),
  z.string().regex(/^\d{1,18}$/),
  z.int().min(0).max(32_767),
]);

export const newestFirst = sql`scheduled_at desc, run_id desc, try desc`;
/**
 * The order of the indexes for tasks, statuses and kinds of runs; no column is ever null. The primary key does not have
 * it: read for the sake of its order, it gives the rows of all tasks until it has a page of one.
 */
const newestFirstOfSome = sql`scheduled_at desc nulls last, run_id desc nulls last, try desc nulls last`;

/** Up to `limit` entries after the position, newest first. */
export function selectLog(filter: LogFilter, after: LogPosition, limit: number): RawBuilder<LogRow> {
  const { taskIds } = filter;
  const conditions = sql.join(listConditions(filter, after), sql` and `);
  if (taskIds === undefined) {
    const order = isOrdinary(filter) ? newestFirst : newestFirstOfSome;
    return sql`select * from crontab_log where ${conditions} order by ${order} limit ${limit}`;
  }
  const [taskId] = taskIds;
  if (taskIds.length === 1) {
    return sql`
      select * from crontab_log where task_id = ${taskId} and ${conditions} order by ${newestFirstOfSome} limit ${limit}`;
  }
  // The newest of each task, and of those the newest: each a stretch of the index of tasks, of which the keys are enough.
  return sql`
    select log.* from (
      select key.scheduled_at, key.run_id, key.try
      from unnest(${taskIds}::bigint[]) as task (id)
      cross join lateral (
        select scheduled_at, run_id, try from crontab_log where task_id = task.id and ${conditions}
        order by ${newestFirstOfSome} limit ${limit}
      ) key
      order by ${newestFirst} limit ${limit}
    ) newest
    cross join lateral (
      select * from crontab_log
      where scheduled_at = newest.scheduled_at and run_id = newest.run_id and try = newest.try offset 0
    ) log`;
}

function listConditions(
  { status, run_type, from, to }: LogFilter,
  after: LogPosition,
): RawBuilder<unknown>[] {
  const [scheduledAt, runId, tries] = after;
  const conditions: RawBuilder<unknown>[] = [
    // The first page has a position too: a bound on the nominal time keeps Postgres from skipping through the primary key.
    sql`(scheduled_at, run_id, try) < (${scheduledAt}::timestamptz, ${runId}::bigint, ${tries}::smallint)`,
  ];
  if (status != null) conditions.push(sql`status = ${sql.lit(status)}`);
  if (run_type != null) conditions.push(sql`run_type = ${sql.lit(run_type)}`);
  if (from != null) conditions.push(sql`scheduled_at >= ${from}`);
  if (to != null) conditions.push(sql`scheduled_at < ${to}`);
  return conditions;
}

/** The indexes of statuses and kinds of runs leave out what most rows have. */
function isOrdinary({ status, run_type }: LogFilter): boolean {
  return (
    (status == null || status === crontabStatuses.succeeded) &&
    (run_type == null || run_type === crontabRunTypes.normal)
  );
}
