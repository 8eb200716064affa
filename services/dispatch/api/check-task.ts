// Tells what became of a task so far: of one of parallel_run, what became of its children.
import { type Kysely, sql } from 'kysely';
import type { DispatchNodeResult, DispatchTaskKey, DispatchTaskState } from '../../../contracts/dispatch.ts';
import type { Database } from '../../../infra/database/database.ts';
import { limitStatements } from '../../../infra/database/limit-statements.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { findChildren, findTask, type TaskRow } from './find-task.ts';
import { parentStatus } from './parent-status.ts';
import { readSteps } from './read-steps.ts';

const maxErrLength = 2000;

/** Throws `NOT_FOUND`. */
export function checkTask(key: DispatchTaskKey, database: Database): Promise<DispatchTaskState> {
  return database.transact(async (db) => {
    // All statements see the same moment.
    await sql`set transaction isolation level repeatable read, read only`.execute(db);
    await limitStatements(db, []);
    const task = await findTask(db, key);
    const children = task.isParent ? await findChildren(db, task.id) : [];
    const ids = task.isParent ? children.map(({ id }) => id) : [task.id];
    const { status, err, updatedAt } = task.isParent ? sumUp(task, children) : task;
    return {
      create_time: task.createdAt.toUTCString(),
      err,
      id: Number(task.id),
      log: await readSteps(db, ids),
      nodes: formatList(task.nodes),
      status,
      update_time: updatedAt.toUTCString(),
      node_results: await readNodeResults(db, ids),
      ...(task.isParent && {
        children: children.map(({ id, name, status }) => ({ id: Number(id), name, status })),
      }),
    };
  });
}

function sumUp(parent: TaskRow, children: readonly TaskRow[]): Pick<TaskRow, 'status' | 'err' | 'updatedAt'> {
  const faults = children.flatMap(({ nodes, err }) => (err === null ? [] : [`${nodes.join()}: ${err}`]));
  const times = [parent, ...children].map(({ updatedAt }) => updatedAt.getTime());
  return {
    status: parentStatus(children.map(({ status }) => status)),
    err: faults.length === 0 ? null : faults.join('; ').slice(0, maxErrLength).toWellFormed(),
    updatedAt: new Date(Math.max(...times)),
  };
}

/** As `json.dumps` of Python writes a list of texts in ASCII. */
function formatList(texts: readonly string[]): string {
  return `[${texts.map((text) => JSON.stringify(text)).join(', ')}]`;
}

async function readNodeResults(db: Kysely<Tables>, ids: readonly string[]): Promise<DispatchNodeResult[]> {
  const rows = await db
    .selectFrom('dispatch_node')
    .select(['node', 'status', 'ok', 'changed', 'failed', 'skipped', 'err', 'started_at', 'ended_at'])
    .where('task_id', '=', sql<string>`any(${ids}::bigint[])`)
    .orderBy('task_id')
    .orderBy('position')
    .execute();
  return rows.map(({ started_at: startedAt, ended_at: endedAt, ...result }) => ({
    ...result,
    start_time: startedAt?.toUTCString() ?? null,
    end_time: endedAt?.toUTCString() ?? null,
  }));
}
