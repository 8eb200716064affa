// Runs that nobody finishes: called once more, or into the log with the reason why nothing is known of them.
import { type RawBuilder, sql } from 'kysely';
import { crontabStatuses } from '../../../contracts/crontab.ts';
import type { Database } from '../../../infra/database/database.ts';
import { bury, reap } from '../../../infra/database/lease-table.ts';

/** Rows that one statement takes. */
const batch = 1000;
/** A replica that could not reach the database may store what it has, before anybody calls once more. */
const reapDelayMs = 2000;
const table = 'crontab_run';
/** `err` of a time that was planned, and called too late by nobody. */
export const expiredReason = 'EXPIRED: nobody had room to call it in time';

/** Makes runs ready again whose lease ran out; resolves with their number. */
export async function reapRuns(database: Database): Promise<number> {
  const { rows } = await database.run((db) => reap(table, batch, { delayMs: reapDelayMs }).execute(db));
  return rows.length;
}

/**
 * Deletes runs that are too late or were lost for good, and logs which of the two; resolves with the number of each.
 */
export async function buryRuns(database: Database): Promise<{ lost: number; expired: number }> {
  const { rows } = await database.run((db) =>
    sql<{ lost: number; expired: number }>`
      with dead as (${bury(table, batch)}),
      logged as (
        insert into crontab_log (scheduled_at, run_id, try, task_id, name, run_type, status, begin_at, end_at, method,
          url, body, resp, err, missed)
        select dead.scheduled_at, dead.id, dead.try, dead.task_id, coalesce(task.name, ''), dead.run_type,
          case when ${isLost} then ${sql.lit(crontabStatuses.failed)} else ${sql.lit(crontabStatuses.missed)} end,
          dead.due_at, case when ${isLost} then now() else dead.due_at end, coalesce(task.method, ''),
          coalesce(task.url, ''), coalesce(task.body, ''), '',
          case when ${isLost} then 'LOST: the service ended during the call, what came of it is not known'
            else ${expiredReason} end,
          case when ${isLost} then 0 else 1 end
        from dead
        left join lateral (
          select name, method, url, body from crontab_task where task_id = dead.task_id offset 0
        ) task on true)
      select count(*) filter (where ${isLost})::integer as lost,
        count(*) filter (where not ${isLost})::integer as expired
      from dead`.execute(db),
  );
  return rows[0] ?? { lost: 0, expired: 0 };
}

/** Whoever held it is gone; what nobody ever held has expired. */
const isLost: RawBuilder<boolean> = sql`(dead.state = 1 or dead.lapses > 0)`;
