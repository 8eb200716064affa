// Stores a task that is run on all of its nodes, under a name of its own.
import { type RawBuilder, sql } from 'kysely';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { HttpContext } from '../../../infra/http/register-calls.ts';
import type { DispatchApiOptions } from './api-options.ts';
import { findOwner } from './find-task.ts';
import { nameTaken } from './format-error.ts';
import { type RequestedRun, readRun } from './read-run.ts';

/**
 * Resolves with the id of the task. Throws `INVALID_REQUEST`; `UNAVAILABLE` where nothing can be played; `CONFLICT` with
 * the id of the task that has the name.
 */
export async function runTask(
  body: unknown,
  context: HttpContext,
  options: DispatchApiOptions,
): Promise<string> {
  const { database, seal, limits } = options;
  const run = await readRun(body, context, options);
  await refuseWithoutPlayer(options);
  const statement = insertRun(run, seal(run.work), limits.queueTimeoutMs);
  const { rows } = await database.run((db) => statement.execute(db));
  const [task] = rows;
  if (task !== undefined) return task.id;
  throw nameTaken(await findOwner(database, [run.name]));
}

/** A run that nobody can play is not stored: its name would be gone. */
export async function refuseWithoutPlayer({
  findFault,
}: Pick<DispatchApiOptions, 'findFault'>): Promise<void> {
  const fault = await findFault();
  if (fault !== undefined) throw new ProbeTaskError('UNAVAILABLE', fault);
}

/** No row comes back where the name is taken. */
function insertRun(run: RequestedRun, work: Buffer, queueTimeoutMs: number): RawBuilder<{ id: string }> {
  const { origin, name, user, forks, timeoutMs } = run;
  const nodes = run.nodes.map(({ text }) => text);
  return sql`
    with task as (
      insert into dispatch_task (name, global_id, source, nodes, user_name, forks, timeout_ms, work)
      values (${name}, ${origin.globalId}, ${origin.source}, ${nodes}::text[], ${user}, ${forks}, ${timeoutMs}, ${work})
      on conflict (name) do nothing
      returning id, nodes),
    node as (
      insert into dispatch_node (task_id, position, node)
      select task.id, node.position - 1, node.text
      from task cross join lateral unnest(task.nodes) with ordinality as node (text, position)),
    run as (${insertRuns(sql`task`, queueTimeoutMs)})
    select id from task`;
}

/** A run for each row of the table. */
export function insertRuns(table: RawBuilder<unknown>, queueTimeoutMs: number): RawBuilder<unknown> {
  return sql`
    insert into dispatch_run (id, expires_at)
    select id, now() + ${queueTimeoutMs}::float8 * interval '1 ms' from ${table}`;
}
