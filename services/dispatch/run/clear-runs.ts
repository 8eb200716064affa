// Runs that nobody ends: their holder is gone, or nobody had room for them in time.
import { sql } from 'kysely';
import { dispatchStatuses } from '../../../contracts/dispatch.ts';
import type { Database } from '../../../infra/database/database.ts';
import { bury, reap } from '../../../infra/database/lease-table.ts';

/** Rows that one statement takes. */
const batch = 100;
const table = 'dispatch_run';
const { waiting, running, failed, stopped } = dispatchStatuses;
/** Events that one statement deletes, and tasks whose events they are. */
const eventBatch = 10_000;
const taskBatch = 20;

/** Makes runs claimable again whose lease ran out, for whoever cleans up after them; resolves with their number. */
export async function reapRuns(database: Database): Promise<number> {
  const { rows } = await database.run((db) => reap(table, batch).execute(db));
  return rows.length;
}

/**
 * Ends runs that waited for too long, and such that were begun and could not be cleaned up after; resolves with their
 * number.
 */
export async function buryRuns(database: Database): Promise<number> {
  const { rows } = await database.run((db) =>
    sql`
      with dead as (${bury(table, batch)}),
      task as (
        update dispatch_task task
        set status = case when dead.is_stop_wanted then ${sql.lit(stopped)} else ${sql.lit(failed)} end,
          err = case when task.status = ${sql.lit(waiting)} then 'expired: nobody had room for it in time'
            else 'interrupted; what it left on its nodes could not be cleaned up' end,
          work = null, updated_at = now(), ended_at = now()
        from dead where task.id = dead.id and task.status in (${sql.lit(waiting)}, ${sql.lit(running)})
        returning task.id, task.status, task.err),
      node as (
        update dispatch_node node
        set status = task.status, err = coalesce(node.err, task.err), updated_at = now(),
          ended_at = case when node.started_at is null then null else now() end
        from task where node.task_id = task.id and node.status in (${sql.lit(waiting)}, ${sql.lit(running)}))
      select id from task`.execute(db),
  );
  return rows.length;
}

/** Deletes events of tasks that ended so many days ago; resolves with whether there are more. */
export async function clearEvents(
  database: Database,
  { retentionDays, limit = eventBatch }: { retentionDays: number; limit?: number },
): Promise<{ hasMore: boolean }> {
  const { rows } = await database.run((db) =>
    sql<{ tasks: number }>`
      with old as (
        select id from dispatch_task
        where has_events and ended_at < now() - ${retentionDays} * interval '24 hours'
        order by ended_at limit ${taskBatch} for update skip locked),
      chosen as (
        select task_id, seq from dispatch_event where task_id = any (array(select id from old)) limit ${limit}),
      gone as (
        delete from dispatch_event event using chosen
        where event.task_id = chosen.task_id and event.seq = chosen.seq returning event.seq),
      cleared as (
        update dispatch_task task set has_events = false
        from old where task.id = old.id and (select count(*) from gone) < ${limit})
      select count(*)::integer as tasks from old`.execute(db),
  );
  return { hasMore: (rows[0]?.tasks ?? 0) > 0 };
}
