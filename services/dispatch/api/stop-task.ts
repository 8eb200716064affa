// Stops a task, and waits until nothing of it runs any more; of one of parallel_run, all of its children.
import { setTimeout as pause } from 'node:timers/promises';
import { sql } from 'kysely';
import { type DispatchTaskKey, dispatchStatuses } from '../../../contracts/dispatch.ts';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { Database } from '../../../infra/database/database.ts';
import type { DispatchApiOptions } from './api-options.ts';
import { findChildren, findTask } from './find-task.ts';

const defaultStopWaitMs = 25_000;
const pollMs = 200;
/** A statement of whoever holds a run takes no longer, as a rule. */
const lockedMs = 20;

const { waiting, running, stopped } = dispatchStatuses;

/**
 * Resolves with the id of the task when all of it has ended, however it did; one that is over stays as it is. Throws `NOT_FOUND`; `INTERNAL` after too
 * long; `UNAVAILABLE` when the signal comes: what is to be stopped will be, nevertheless.
 */
export async function stopTask(
  key: DispatchTaskKey,
  { database, limits, onStopWanted }: Pick<DispatchApiOptions, 'database' | 'limits' | 'onStopWanted'>,
  signal: AbortSignal,
): Promise<string> {
  const deadline = performance.now() + (limits.stopWaitMs ?? defaultStopWaitMs);
  const { id, ids } = await database.run(async (db) => {
    const task = await findTask(db, key);
    const children = task.isParent ? await findChildren(db, task.id) : [task];
    return { id: task.id, ids: children.map((child) => child.id) };
  });
  for (let left = ids; left.length > 0; ) {
    const { underWay, locked } = await wantStop(database, left);
    underWay.forEach(onStopWanted);
    left = locked;
    if (left.length > 0) await waitUnless(signal, lockedMs, deadline);
  }
  while (await isAnyLeft(database, ids)) await waitUnless(signal, pollMs, deadline);
  return id;
}

type StopWanted = {
  /** Somebody plays them, or did so and is gone: they are told to stop. */
  underWay: string[];
  /** Somebody is just writing to them. */
  locked: string[];
};

/**
 * What has not begun is over. Takes only runs that nobody has locked, so that whoever locks several of them, in whatever
 * order, never waits for this one while this waits for them.
 */
function wantStop(database: Database, ids: readonly string[]): Promise<StopWanted> {
  return database.transact(async (db) => {
    const { rows: free } = await sql<{ id: string }>`
      select id from dispatch_run where id = any (${ids}::bigint[]) for update skip locked`.execute(db);
    const freeIds = free.map(({ id }) => id);
    await sql`
      with dropped as (
        delete from dispatch_run run using dispatch_task task
        where run.id = any (${freeIds}::bigint[]) and task.id = run.id
          and run.state = 0 and task.status = ${sql.lit(waiting)}
        returning run.id),
      task as (
        update dispatch_task task
        set status = ${sql.lit(stopped)}, work = null, updated_at = now(), ended_at = now()
        from dropped where task.id = dropped.id and ${isOpen})
      update dispatch_node node set status = ${sql.lit(stopped)}, updated_at = now()
      from dropped where node.task_id = dropped.id`.execute(db);
    const { rows: marked } = await sql<{ id: string }>`
      update dispatch_run set is_stop_wanted = true where id = any (${freeIds}::bigint[]) returning id`.execute(
      db,
    );
    const { rows: locked } = await sql<{ id: string }>`
      select id from dispatch_run where id = any (${ids}::bigint[]) and not id = any (${freeIds}::bigint[])`.execute(
      db,
    );
    return { underWay: marked.map(({ id }) => id), locked: locked.map(({ id }) => id) };
  });
}

const isOpen = sql<boolean>`task.status in (${sql.lit(waiting)}, ${sql.lit(running)})`;

async function isAnyLeft(database: Database, ids: readonly string[]): Promise<boolean> {
  const { rows } = await database.run((db) =>
    sql`select 1 from dispatch_task task where id = any (${ids}::bigint[]) and ${isOpen} limit 1`.execute(db),
  );
  return rows.length > 0;
}

async function waitUnless(signal: AbortSignal, ms: number, deadline: number): Promise<void> {
  if (performance.now() + ms > deadline) throw new ProbeTaskError('INTERNAL', 'task is still being stopped');
  await pause(ms, undefined, { signal }).catch(() => {
    throw new ProbeTaskError('UNAVAILABLE', 'the service is being stopped');
  });
}
