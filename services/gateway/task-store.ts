// Tasks in Postgres.
import { type Selectable, sql, type Transaction } from 'kysely';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type {
  Target,
  Task,
  TaskCreateRequest,
  TaskGetRequest,
  TaskUpdateRequest,
} from '../../contracts/task.ts';
import type { Database } from '../../infra/database/database.ts';
import type { Tables } from '../../infra/database/tables.ts';
import { cutPage, type Page } from './page.ts';

export type TaskStore = {
  /** In the order of their ids. */
  list(page: TaskGetRequest): Promise<Page<Task>>;
  /** Throws `NOT_FOUND` for a domain group or a group that does not exist. */
  create(task: TaskCreateRequest): Promise<Task>;
  /** Throws `NOT_FOUND` for the task or what it refers to. */
  update(change: TaskUpdateRequest): Promise<Task>;
  delete(taskId: string): Promise<void>;
};

/** `isGroupOfAgent`: a group also exists when an agent was configured with its id. */
export function createTaskStore(database: Database, isGroupOfAgent: (groupId: number) => boolean): TaskStore {
  return {
    list: ({ limit, cursor, changed_since: changedSince }) =>
      database.run(async (db) => {
        let query = db.selectFrom('probe_task').selectAll().orderBy('task_id');
        if (cursor != null) query = query.where('task_id', '>', cursor);
        if (changedSince != null)
          query = query.where('updated_at', '>=', sql<Date>`to_timestamp(${changedSince})`);
        if (limit != null) query = query.limit(limit + 1);
        const { rows, nextCursor } = cutPage(await query.execute(), limit, ({ task_id }) => task_id);
        return { rows: rows.map(formatTask), nextCursor };
      }),

    create: (task) =>
      database.transact(async (db) => {
        await requireReferences(db, task, isGroupOfAgent);
        const { probe_data, target, uid, gid, task_time, ...plain } = task;
        const row = await db
          .insertInto('probe_task')
          .values({
            ...plain,
            probe_data: JSON.stringify(probe_data),
            target: JSON.stringify(target),
            uid: encodeNullable(uid),
            gid: encodeNullable(gid),
            task_time: encodeNullable(task_time),
          })
          .returningAll()
          .executeTakeFirstOrThrow();
        return formatTask(row);
      }),

    update: ({ task_id: taskId, ...change }) =>
      database.transact(async (db) => {
        await requireReferences(db, change, isGroupOfAgent);
        const { probe_data, target, uid, gid, task_time, ...plain } = change;
        const row = await db
          .updateTable('probe_task')
          // Kysely leaves out what is undefined.
          .set({
            ...plain,
            probe_data: probe_data && JSON.stringify(probe_data),
            target: target && JSON.stringify(target),
            uid: uid === undefined ? undefined : encodeNullable(uid),
            gid: gid === undefined ? undefined : encodeNullable(gid),
            task_time: task_time === undefined ? undefined : encodeNullable(task_time),
            updated_at: sql<Date>`now()`,
          })
          .where('task_id', '=', taskId)
          .returningAll()
          .executeTakeFirst();
        if (row === undefined) throw taskNotFound(taskId);
        return formatTask(row);
      }),

    delete: (taskId) =>
      database.run(async (db) => {
        const { numDeletedRows } = await db
          .deleteFrom('probe_task')
          .where('task_id', '=', taskId)
          .executeTakeFirstOrThrow();
        if (numDeletedRows === 0n) throw taskNotFound(taskId);
      }),
  };
}

/** Holds the domain groups until the transaction ends, so that none is deleted between the check and the write. */
async function requireReferences(
  db: Transaction<Tables>,
  { target = [], group_id: groupId }: Pick<Partial<TaskUpdateRequest>, 'target' | 'group_id'>,
  isGroupOfAgent: (groupId: number) => boolean,
): Promise<void> {
  const ids = [...new Set(target.flatMap(domainGroupsOf))];
  if (ids.length > 0) {
    const rows = await db
      .selectFrom('domain_group')
      .select('id')
      .where('id', '=', sql<number>`any(${ids})`)
      .forKeyShare()
      .execute();
    const missing = ids.filter((id) => !rows.some((row) => row.id === id));
    if (missing.length > 0) {
      throw new ProbeTaskError('NOT_FOUND', `there is no domain group ${missing.slice(0, 10).join(', ')}`, {
        domain_group_ids: missing.slice(0, 100),
      });
    }
  }
  if (groupId == null || isGroupOfAgent(groupId)) return;
  const place = await db
    .selectFrom('probe_group_detail')
    .select('group_id')
    .where('group_id', '=', groupId)
    .limit(1)
    .executeTakeFirst();
  if (place === undefined)
    throw new ProbeTaskError('NOT_FOUND', `there is no group ${groupId}`, { group_id: groupId });
}

function domainGroupsOf(target: Target): number[] {
  return target.type === 'domain_group' ? [target.domain_group_id] : [];
}

/** A `jsonb` value; JSON's null is SQL's. */
function encodeNullable(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

function formatTask(row: Selectable<Tables['probe_task']>): Task {
  return {
    task_id: row.task_id,
    type: row.type,
    service_type: row.service_type,
    cycle: row.cycle,
    probe_data: row.probe_data,
    target: row.target,
    status: row.status,
    group_id: row.group_id,
    uid: row.uid,
    gid: row.gid,
    task_time: row.task_time,
    pinned: row.pinned,
  };
}

function taskNotFound(taskId: string): ProbeTaskError {
  return new ProbeTaskError('NOT_FOUND', `there is no task ${taskId}`, { task_id: taskId });
}
