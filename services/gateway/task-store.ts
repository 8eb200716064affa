// Tasks in Postgres.
import { isDeepStrictEqual } from 'node:util';
import { type Selectable, sql, type Transaction } from 'kysely';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { Task, TaskCreateRequest, TaskGetRequest, TaskUpdateRequest } from '../../contracts/task.ts';
import type { Database } from '../../infra/database/database.ts';
import type { Tables } from '../../infra/database/tables.ts';
import { lockTask, reschedule, skipDueSlot } from './reschedule-task.ts';
import { createTaskList, type TaskPage } from './task-list.ts';
import { requireReferences } from './task-references.ts';

export type TaskStore = {
  /** In the order of their ids. */
  list(page: TaskGetRequest): Promise<TaskPage>;
  /**
   * Throws `NOT_FOUND` for a domain group or a group that does not exist. With a key that a task has already: that task,
   * or `CONFLICT` when it has other fields.
   */
  create(task: TaskCreateRequest): Promise<Task>;
  /**
   * Throws `NOT_FOUND` for the task or what it refers to. With another schedule the next slot is sought anew, and what was
   * due by then and not planned is told in a slot that says `CHANGED`.
   */
  update(change: TaskUpdateRequest): Promise<Task>;
  /** Throws `NOT_FOUND`. What was due by then and not planned is told in a slot that says `CHANGED`. */
  delete(taskId: string): Promise<void>;
};

const taskColumns = [
  'task_id',
  'type',
  'service_type',
  'cycle',
  'probe_data',
  'target',
  'status',
  'group_id',
  'uid',
  'gid',
  'task_time',
  'pinned',
] as const;
/** A `Task`, field for field. */
type TaskRow = Pick<Selectable<Tables['probe_task']>, (typeof taskColumns)[number]>;

/**
 * `isGroupOfAgent`: a group also exists when an agent was configured with its id. `maxOctets`: what one message may have.
 */
export function createTaskStore(
  database: Database,
  isGroupOfAgent: (groupId: number) => boolean,
  maxOctets: () => number,
): TaskStore {
  return {
    list: createTaskList(database, maxOctets),

    create: (request) =>
      database.transact(async (db) => {
        const { idempotency_key: key, ...task } = request;
        // What a task refers to may be gone when its creation is repeated.
        const stored =
          (key == null ? undefined : await findByKey(db, key)) ??
          (await insertTask(db, request, isGroupOfAgent));
        if (key != null) requireSameTask(stored, task, key);
        return stored;
      }),

    update: ({ task_id: taskId, ...change }) =>
      database.transact(async (db) => {
        await requireReferences(db, change, isGroupOfAgent);
        const task = await lockTask(db, taskId);
        if (task === undefined) throw taskNotFound(taskId);
        const { probe_data, target, uid, gid, task_time, ...plain } = change;
        return (
          db
            .updateTable('probe_task')
            // Kysely leaves out what is undefined.
            .set({
              ...plain,
              probe_data: probe_data && JSON.stringify(probe_data),
              target: target && JSON.stringify(target),
              uid: uid === undefined ? undefined : encodeNullable(uid),
              gid: gid === undefined ? undefined : encodeNullable(gid),
              task_time: task_time === undefined ? undefined : encodeNullable(task_time),
              ...(await reschedule(db, task, change)),
              updated_at: sql<Date>`now()`,
            })
            .where('task_id', '=', taskId)
            .returning(taskColumns)
            .executeTakeFirstOrThrow()
        );
      }),

    delete: (taskId) =>
      database.transact(async (db) => {
        const task = await lockTask(db, taskId);
        if (task === undefined) throw taskNotFound(taskId);
        await skipDueSlot(db, task, task.now.getTime());
        await db.deleteFrom('probe_task').where('task_id', '=', taskId).execute();
      }),
  };
}

async function findByKey(db: Transaction<Tables>, key: string): Promise<TaskRow | undefined> {
  return db
    .selectFrom('probe_task')
    .select(taskColumns)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
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
      .returning(taskColumns)
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

/** A `jsonb` value; JSON's null is SQL's. */
function encodeNullable(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

function taskNotFound(taskId: string): ProbeTaskError {
  return new ProbeTaskError('NOT_FOUND', `there is no task ${taskId}`, { task_id: taskId });
}
