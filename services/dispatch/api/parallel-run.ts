// Stores a task for each node, and one that stands for all of them.
import { type RawBuilder, sql } from 'kysely';
import { DatabaseError } from 'pg';
import type { Database } from '../../../infra/database/database.ts';
import type { HttpContext } from '../../../infra/http/register-calls.ts';
import type { DispatchApiOptions } from './api-options.ts';
import { findOwner } from './find-task.ts';
import { nameTaken } from './format-error.ts';
import { type RequestedRun, readRun } from './read-run.ts';
import { refuseRequest } from './request-faults.ts';
import { insertRuns, refuseWithoutPlayer } from './run-task.ts';

export type ParallelRun = { id: string; children: { id: string; node: string }[] };

/** Each child has its own copy of what is to be run. */
const maxStoredOctets = 64 * 1024 * 1024;
const uniqueViolation = '23505';

/**
 * Children are named `<node>_<name>` and are in the order of the nodes. All are stored or none: throws `CONFLICT` with
 * the id of the task that has any of the names, and whatever `runTask` throws.
 */
export async function runInParallel(
  body: unknown,
  context: HttpContext,
  options: DispatchApiOptions,
): Promise<ParallelRun> {
  const { database, seal, limits } = options;
  const run = await readRun(body, context, options);
  const work = seal(run.work);
  if (work.length * run.nodes.length > maxStoredOctets) {
    throw refuseRequest([{ path: 'tasks', reason: 'is too large for so many nodes' }]);
  }
  await refuseWithoutPlayer(options);
  const rows = await insertUnlessTaken(database, insertFamily(run, work, limits.queueTimeoutMs));
  const [parent, ...children] = rows ?? [];
  if (parent !== undefined) return { id: parent.id, children };
  const names = [run.name, ...run.nodes.map(({ text }) => childName(text, run.name))];
  throw nameTaken(await findOwner(database, names));
}

function childName(node: string, name: string): string {
  return `${node}_${name}`;
}

type FamilyRow = { id: string; node: string };

/** Undefined where any of the names is taken. */
async function insertUnlessTaken(
  database: Database,
  statement: RawBuilder<FamilyRow>,
): Promise<FamilyRow[] | undefined> {
  try {
    return (await database.run((db) => statement.execute(db))).rows;
  } catch (error) {
    if (error instanceof DatabaseError && error.code === uniqueViolation) return undefined;
    throw error;
  }
}

/** The row of the parent first, and those of its children in the order of the nodes. */
function insertFamily(run: RequestedRun, work: Buffer, queueTimeoutMs: number): RawBuilder<FamilyRow> {
  const { origin, name, user, forks, timeoutMs } = run;
  const nodes = run.nodes.map(({ text }) => text);
  const names = nodes.map((node) => childName(node, name));
  return sql`
    with parent as (
      insert into dispatch_task (name, is_parent, global_id, source, nodes, user_name, forks, timeout_ms)
      values (${name}, true, ${origin.globalId}, ${origin.source}, ${nodes}::text[], ${user}, ${forks}, ${timeoutMs})
      returning *),
    child as (
      insert into dispatch_task (parent_id, name, global_id, source, nodes, user_name, forks, timeout_ms, work)
      select parent.id, child.name, global_id, source, array[child.node], user_name, 1, timeout_ms, ${work}::bytea
      from parent cross join lateral unnest(parent.nodes, ${names}::text[]) with ordinality as child (node, name, position)
      order by child.position
      returning id, nodes[1] as node),
    node as (insert into dispatch_node (task_id, position, node) select id, 0, node from child),
    run as (${insertRuns(sql`child`, queueTimeoutMs)})
    select id, node from (
      select id, '' as node, 0 as generation from parent union all select id, node, 1 from child) family
    order by generation, id`;
}
