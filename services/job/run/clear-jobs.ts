// Jobs that nobody ends: their worker is gone, or nobody had room for them in time. And results that were kept long enough.
import { sql } from 'kysely';
import type { Database } from '../../../infra/database/database.ts';
import { bury, maxLapses, reap } from '../../../infra/database/lease-table.ts';

/** Rows that one statement takes. */
const batch = 1000;
/** The same of those that may have results of a hundred megabytes each. */
const clearBatch = 50;
const table = 'job_run';

/** Makes jobs ready again whose lease ran out; resolves with their number. */
export async function reapJobs(database: Database): Promise<number> {
  const { rows } = await database.run((db) => reap(table, batch).execute(db));
  return rows.length;
}

/** Fails jobs that are too late, or that too many workers died of; resolves with their number. */
export async function buryJobs(database: Database): Promise<number> {
  const { rows } = await database.run((db) =>
    sql`
      with dead as (${bury(table, batch)}),
      task as (
        update job_task task
        set state = 'FAILURE', request = null, ended_at = now(),
          info = case when dead.is_stop_wanted then 'cancelled'
            when dead.state = 1 then ${sql.lit(`its worker died ${maxLapses} times`)}
            else 'expired: nobody had room for it in time' end
        from dead where task.id = dead.id and task.state = 'PENDING')
      select id from dead`.execute(db),
  );
  return rows.length;
}

/** Forgets jobs that ended so many hours ago; resolves with their number, and whether there may be more. */
export async function clearJobs(
  database: Database,
  { retentionHours, limit = clearBatch }: { retentionHours: number; limit?: number },
): Promise<{ cleared: number; hasMore: boolean }> {
  const { rows } = await database.run((db) =>
    sql`
      delete from job_task
      where id = any (array(
        select id from job_task where ended_at < now() - ${retentionHours}::integer * interval '1 hour'
        order by ended_at limit ${limit}::integer for update skip locked))
      returning id`.execute(db),
  );
  return { cleared: rows.length, hasMore: rows.length === limit };
}
