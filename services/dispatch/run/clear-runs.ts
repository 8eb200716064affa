// Runs that nobody ends: their holder is gone, or nobody had room for them in time.
import { sql } from 'kysely';
import { dispatchStatuses } from '../../../contracts/dispatch.ts';
import type { Database } from '../../../infra/database/database.ts';
import { bury, reap } from '../../../infra/database/lease-table.ts';

/** Rows that one statement takes. */
const batch = 100;
const table = 'dispatch_run';
const { waiting, running, failed, stopped } = dispatchStatuses;
/** Tasks whose events one statement deletes. */
const eventBatch = 20;

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

/** Deletes the events of tasks that ended so many days ago; resolves with the number of tasks. */
export async function clearEvents(database: Database, retentionDays: number): Promise<number> {
  const { rows } = await database.run((db) =>
    sql`
      with old as (
        select id from dispatch_task
        where has_events and ended_at < now() - ${retentionDays} * interval '24 hours'
        order by ended_at limit ${eventBatch} for update skip locked),
      gone as (delete from dispatch_event event using old where event.task_id = old.id)
      update dispatch_task task set has_events = false from old where task.id = old.id returning task.id`.execute(
      db,
    ),
  );
  return rows.length;
}
