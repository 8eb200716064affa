// What the scheduler reads and writes within the one transaction of a turn.
import { type Kysely, sql, type Transaction } from 'kysely';
import { createResolverLookup } from '../../contracts/select-agents.ts';
import type { Task } from '../../contracts/task.ts';
import type { SkippedPart } from '../../contracts/task-slot.ts';
import type { Tables } from '../../infra/database/tables.ts';
import type { Schedule } from './choose-slot.ts';
import type { Definitions, PlannedRun } from './plan-runs.ts';

/** Without its targets: those of all due tasks may be more than fits into memory. */
export type DueTask = Schedule &
  Pick<Task, 'probe_data' | 'group_id' | 'task_time'> & {
    /** Octets that the targets take where they are stored; as JSON they are up to ten times as many. */
    targetSize: number;
  };

export type PlannedSlot = {
  taskId: string;
  scheduledAt: number;
  expiresAt: number;
  missed: number;
  agentCount: number;
  cellCount: number;
  runs: PlannedRun[];
  skipped: SkippedPart[];
};

/** A scheduler that is gone without a word must not hold its tasks for long. */
const idleLimit = '15s';
/** Half of what a connection may be held (main.ts): when that is cut, its statement does not go on for long. */
const statementLimit = '30s';
/** Rows of one insert: bounds the size of a statement. */
const insertBatch = 2000;
/** The year 10,000. */
const maxTimeMs = Date.UTC(10_000);

/**
 * Locks up to `limit` enabled tasks that are due, the longest due first, leaving out those that another scheduler has
 * locked; of the tasks `among` only, where that is given. `nowMs` is the database's time.
 */
export async function lockDueTasks(
  db: Transaction<Tables>,
  limit: number,
  among?: string[],
): Promise<{ tasks: DueTask[]; nowMs: number }> {
  await sql`set local idle_in_transaction_session_timeout = ${sql.lit(idleLimit)}`.execute(db);
  await sql`set local statement_timeout = ${sql.lit(statementLimit)}`.execute(db);
  const rows = await db
    .selectFrom('probe_task')
    .select(['task_id', 'cycle', 'probe_data', 'group_id', 'task_time', 'next_at', 'last_at', 'updated_at'])
    .select(sql<number>`coalesce(pg_column_size(target), 0)`.as('targetSize'))
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

/** Stores slots with their runs. A slot that is there already is a fault, and fails the transaction. */
export async function storeSlots(db: Transaction<Tables>, slots: PlannedSlot[]): Promise<void> {
  const runs = slots.flatMap(({ taskId, scheduledAt, expiresAt, runs }) =>
    runs.map((run) => ({ taskId, scheduledAt, expiresAt, ...run })),
  );
  for (let start = 0; start < runs.length; start += insertBatch) {
    const batch = runs.slice(start, start + insertBatch);
    await sql`
      insert into probe_run (task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at)
      select task_id, scheduled_at, agent_id, chunk, payload::jsonb, due_at, expires_at
      from unnest(
        ${batch.map(({ taskId }) => taskId)}::bigint[],
        ${batch.map(({ scheduledAt }) => formatTime(scheduledAt))}::timestamptz[],
        ${batch.map(({ agentId }) => agentId)}::text[],
        ${batch.map(({ chunk }) => chunk)}::integer[],
        ${batch.map(({ payload }) => payload)}::text[],
        ${batch.map(({ scheduledAt, delayMs }) => formatTime(scheduledAt + delayMs))}::timestamptz[],
        ${batch.map(({ expiresAt }) => formatTime(expiresAt))}::timestamptz[]
      ) as run (task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at)`.execute(db);
  }
  await sql`
    insert into probe_slot (task_id, scheduled_at, expires_at, agents, runs, cells, missed, skipped)
    select task_id, scheduled_at, expires_at, agents, runs, cells, missed, skipped::jsonb
    from unnest(
      ${slots.map(({ taskId }) => taskId)}::bigint[],
      ${slots.map(({ scheduledAt }) => formatTime(scheduledAt))}::timestamptz[],
      ${slots.map(({ expiresAt }) => formatTime(expiresAt))}::timestamptz[],
      ${slots.map(({ agentCount }) => agentCount)}::integer[],
      ${slots.map(({ runs }) => runs.length)}::integer[],
      ${slots.map(({ cellCount }) => cellCount)}::integer[],
      ${slots.map(({ missed }) => missed)}::integer[],
      ${slots.map(({ skipped }) => JSON.stringify(skipped))}::text[]
    ) as slot (task_id, scheduled_at, expires_at, agents, runs, cells, missed, skipped)`.execute(db);
}

/** `lastAt`: null where no slot was planned; what was the newest one stays so. */
export type Advance = { taskId: string; nextAt: number; lastAt: number | null };

/** Sets when the tasks are due next, and which slot of theirs was the newest to be planned. */
export async function advanceTasks(db: Transaction<Tables>, advances: Advance[]): Promise<void> {
  await sql`
    update probe_task
    set next_at = advance.next_at, last_at = coalesce(advance.last_at, probe_task.last_at)
    from unnest(
      ${advances.map(({ taskId }) => taskId)}::bigint[],
      ${advances.map(({ nextAt }) => formatTime(nextAt))}::timestamptz[],
      ${advances.map(({ lastAt }) => (lastAt === null ? null : formatTime(lastAt)))}::timestamptz[]
    ) as advance (task_id, next_at, last_at)
    where probe_task.task_id = advance.task_id`.execute(db);
}

/** Looks at a task again after `pauseMs`, unless it was moved on meanwhile. */
export async function putOff(db: Kysely<Tables>, taskId: string, pauseMs: number): Promise<void> {
  await sql`
    update probe_task set next_at = now() + ${pauseMs}::float8 * interval '1 ms'
    where task_id = ${taskId} and next_at <= now()`.execute(db);
}

/** Windows may open in years that need more digits than a timestamp reads: never, that is. */
function formatTime(atMs: number): string {
  return atMs < maxTimeMs ? new Date(atMs).toISOString() : 'infinity';
}
