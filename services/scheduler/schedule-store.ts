// What the scheduler reads within the one transaction of a turn.
import { sql, type Transaction } from 'kysely';
import { createResolverLookup } from '../../contracts/select-agents.ts';
import type { Task } from '../../contracts/task.ts';
import type { Tables } from '../../infra/database/tables.ts';
import { beginTurn } from '../../infra/schedule/due-tasks.ts';
import type { Schedule } from './choose-slot.ts';
import type { Definitions } from './plan-runs.ts';

/** Not with many targets: those of all due tasks may be more than fits into memory. */
export type DueTask = Schedule &
  Pick<Task, 'probe_data' | 'group_id' | 'task_time'> & {
    /** Null where they take more than `fewOctets`. */
    target: Task['target'] | null;
    /** Octets that the targets take where they are stored; as JSON they are up to ten times as many. */
    targetSize: number;
  };

/** Targets that take no more are read with their task: a query of their own for them would take a twentieth of a turn. */
const fewOctets = 512;

/**
 * Locks up to `limit` enabled tasks that are due, the longest due first, leaving out those that another scheduler has
 * locked; of the tasks `among` only, where that is given. `nowMs` is the database's time.
 */
export async function lockDueTasks(
  db: Transaction<Tables>,
  limit: number,
  among?: string[],
): Promise<{ tasks: DueTask[]; nowMs: number }> {
  await beginTurn(db);
  const rows = await db
    .selectFrom('probe_task')
    .select(['task_id', 'cycle', 'probe_data', 'group_id', 'task_time', 'next_at', 'last_at', 'updated_at'])
    .select(sql<number>`coalesce(pg_column_size(target), 0)`.as('targetSize'))
    .select(
      sql<DueTask['target']>`case when pg_column_size(target) <= ${sql.lit(fewOctets)} then target end`.as(
        'target',
      ),
    )
    .select(sql<Date>`now()`.as('now'))
    .where('status', '=', 1)
    .where('type', '=', 'dns')
    .where('next_at', '<=', sql<Date>`now()`)
    // What the index of due tasks is restricted to: `now()` has no value yet when the planner compares the two.
    .where('next_at', '<', sql<Date>`'infinity'`)
    .$if(among !== undefined, (query) => query.where('task_id', '=', sql<string>`any(${among}::bigint[])`))
    .orderBy('next_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  const tasks = rows.map(({ next_at, last_at, updated_at, now, ...task }) => ({
    ...task,
    nextAt: Number(next_at),
    lastAt: last_at === null ? null : Number(last_at),
    updatedAt: Number(updated_at),
  }));
  return { tasks, nowMs: rows[0]?.now.getTime() ?? 0 };
}

/** The stored targets of tasks, by their ids. */
export async function readTargets(
  db: Transaction<Tables>,
  taskIds: string[],
): Promise<Map<string, Task['target'] | null>> {
  const rows = await db
    .selectFrom('probe_task')
    .select(['task_id', 'target'])
    .where('task_id', '=', sql<string>`any(${taskIds}::bigint[])`)
    .execute();
  return new Map(rows.map(({ task_id, target }) => [task_id, target]));
}

/** Octets that the domains of these groups take where they are stored, by the groups' ids. */
export async function readDomainGroupSizes(
  db: Transaction<Tables>,
  groupIds: number[],
): Promise<Map<number, number>> {
  if (groupIds.length === 0) return new Map();
  const rows = await db
    .selectFrom('domain_group')
    .select(['id', sql<number>`pg_column_size(domains)`.as('size')])
    .where('id', '=', sql<number>`any(${groupIds}::bigint[])`)
    .execute();
  return new Map(rows.map(({ id, size }) => [id, size]));
}

/** The domain groups that targets name, each once. */
export function domainGroupsOf(target: Task['target']): number[] {
  return [...new Set(target.flatMap((each) => (each.type === 'domain_group' ? [each.domain_group_id] : [])))];
}

/** Everything that the runs of these tasks are made of. An agent is alive when it was heard of within `aliveMs`. */
export async function readDefinitions(
  db: Transaction<Tables>,
  tasks: Pick<Task, 'group_id' | 'target'>[],
  aliveMs: number,
): Promise<Definitions> {
  const agents = await db
    .selectFrom('agent')
    .innerJoin('agent_session', 'agent_session.agent_id', 'agent.agent_id')
    .select(['agent.agent_id', 'country', 'province', 'city', 'carrier', 'groups', 'resolvers'])
    .select(sql<boolean>`max(heartbeat_at) > now() - ${aliveMs}::float8 * interval '1 ms'`.as('isAlive'))
    .groupBy('agent.agent_id')
    .orderBy('agent.agent_id')
    .execute();
  const groupIds = [...new Set(tasks.flatMap(({ group_id: id }) => (id === null ? [] : [id])))];
  const places = await db
    .selectFrom('probe_group_detail')
    .selectAll()
    .where('group_id', '=', sql<number>`any(${groupIds})`)
    .execute();
  const resolvers = await db.selectFrom('local_dns').selectAll().execute();
  const domainGroupIds = [...new Set(tasks.flatMap(({ target }) => domainGroupsOf(target)))];
  const domainGroups = await db
    .selectFrom('domain_group')
    .select(['id', 'domains'])
    .where('id', '=', sql<number>`any(${domainGroupIds}::bigint[])`)
    .execute();
  return {
    agents,
    placesByGroup: Map.groupBy(places, ({ group_id }) => group_id),
    resolversOf: createResolverLookup(resolvers),
    domainsByGroup: new Map(domainGroups.map(({ id, domains }) => [id, domains])),
  };
}

/** Agents that still have runs of an earlier slot of a task; what waits to be buried does not count. */
export async function readBusyAgents(
  db: Transaction<Tables>,
  taskIds: string[],
): Promise<(taskId: string, agentId: string) => boolean> {
  const rows = await db
    .selectFrom('probe_run')
    .select(['task_id', 'agent_id'])
    .distinct()
    .where('task_id', '=', sql<string>`any(${taskIds}::bigint[])`)
    .where(sql<boolean>`not (state = 0 and expires_at <= now())`)
    .execute();
  const busy = new Set(rows.map(({ task_id, agent_id }) => `${task_id} ${agent_id}`));
  return (taskId, agentId) => busy.has(`${taskId} ${agentId}`);
}
