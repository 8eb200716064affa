// Tasks in Postgres.
import { isDeepStrictEqual } from 'node:util';
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { Task, TaskCreateRequest, TaskGetRequest, TaskUpdateRequest } from '../../contracts/task.ts';
import type { Database } from '../../infra/database/database.ts';
import type { Tables } from '../../infra/database/tables.ts';
import { cutPage, type Page } from './page.ts';
import { requireReferences } from './task-references.ts';

export type TaskStore = {
  /** In the order of their ids. */
  list(page: TaskGetRequest): Promise<Page<Task>>;
  /**
   * Throws `NOT_FOUND` for a domain group or a group that does not exist. With a key that a task has already: that task,
   * or `CONFLICT` when it has other fields.
   */
  create(task: TaskCreateRequest): Promise<Task>;
  /** Throws `NOT_FOUND` for the task or what it refers to. The scheduler looks for the next slot anew where need be. */
  update(change: TaskUpdateRequest): Promise<Task>;
  delete(taskId: string): Promise<void>;
};

type TaskRow = Selectable<Tables['probe_task']>;

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

    create: (request) =>
      database.transact(async (db) => {
        const { idempotency_key: key, ...task } = request;
        // What a task refers to may be gone when its creation is repeated.
        const row =
          (key == null ? undefined : await findByKey(db, key)) ??
          (await insertTask(db, request, isGroupOfAgent));
        const stored = formatTask(row);
        if (key != null) requireSameTask(stored, task, key);
        return stored;
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
            next_at: reschedule(change),
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

async function findByKey(db: Transaction<Tables>, key: string): Promise<TaskRow | undefined> {
  return db.selectFrom('probe_task').selectAll().where('idempotency_key', '=', key).executeTakeFirst();
}

/** The new row, or the one that another request with the same key stored meanwhile. */
async function insertTask(
  db: Transaction<Tables>,
  task: TaskCreateRequest,
  isGroupOfAgent: (groupId: number) => boolean,
): Promise<TaskRow> {
  await requireReferences(db, task, isGroupOfAgent);
  const { probe_data, target, uid, gid, task_time, ...plain } = task;
  return (
    db
      .insertInto('probe_task')
      .values({
        ...plain,
        probe_data: JSON.stringify(probe_data),
        target: JSON.stringify(target),
        uid: encodeNullable(uid),
        gid: encodeNullable(gid),
        task_time: encodeNullable(task_time),
      })
      // Changes nothing; `do nothing` would return no row, and that row could be gone by the time it is looked for.
      .onConflict((conflict) =>
        conflict
          .column('idempotency_key')
          .doUpdateSet((row) => ({ idempotency_key: row.ref('excluded.idempotency_key') })),
      )
      .returningAll()
      .executeTakeFirstOrThrow()
  );
}

function requireSameTask(
  { task_id: taskId, ...stored }: Task,
  asked: Omit<TaskCreateRequest, 'idempotency_key'>,
  key: string,
): void {
  // As it would have been stored: JSON knows no negative zero.
  if (isDeepStrictEqual(stored, JSON.parse(JSON.stringify(asked)))) return;
  throw new ProbeTaskError('CONFLICT', `task ${taskId} has the idempotency key ${key} and other fields`, {
    task_id: taskId,
  });
}

/**
 * `next_at` after a change. A task that is resumed starts with the first slot after now; one with other times looks for
 * its next slot again, unless that slot is due already: it was promised before the change.
 */
function reschedule({
  status,
  cycle,
  task_time,
}: Omit<TaskUpdateRequest, 'task_id'>): RawBuilder<Date> | undefined {
  const cases: RawBuilder<unknown>[] = [];
  if (status === 1) cases.push(sql`when status = 0 then '-infinity'`);
  if (cycle !== undefined) {
    cases.push(sql`when next_at > now() and cycle <> ${cycle} then '-infinity'`);
  }
  if (task_time !== undefined) {
    const window = encodeNullable(task_time);
    cases.push(sql`when next_at > now() and task_time is distinct from ${window}::jsonb then '-infinity'`);
  }
  return cases.length === 0 ? undefined : sql<Date>`case ${sql.join(cases, sql` `)} else next_at end`;
}

/** A `jsonb` value; JSON's null is SQL's. */
function encodeNullable(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

function formatTask(row: TaskRow): Task {
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
