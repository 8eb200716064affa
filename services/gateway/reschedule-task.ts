// What becomes of the schedule of a task that is changed or deleted: what was due until then is told in a slot of its own.
import { isDeepStrictEqual } from 'node:util';
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import type { TaskUpdateRequest } from '../../contracts/task.ts';
import type { SkipReason } from '../../contracts/task-slot.ts';
import type { Tables } from '../../infra/database/tables.ts';

const scheduleColumns = ['type', 'status', 'cycle', 'task_time', 'next_at', 'last_at'] as const;
type TaskRow = Selectable<Tables['probe_task']>;
/** A task before it is changed; `now` is the time of the change. */
export type LockedTask = Pick<TaskRow, 'task_id' | (typeof scheduleColumns)[number]> & { now: Date };

/** Of the slot of a task that would have run once. */
const onceTermMs = 3600_000;
const maxPostgresInteger = 2_147_483_647;

/** Until the transaction ends no scheduler plans a slot of this task. */
export async function lockTask(db: Transaction<Tables>, taskId: string): Promise<LockedTask | undefined> {
  return db
    .selectFrom('probe_task')
    .select(['task_id', ...scheduleColumns, sql<Date>`now()`.as('now')])
    .where('task_id', '=', taskId)
    .forUpdate()
    .executeTakeFirst();
}

/**
 * The columns to set beside those of a change. A task with another schedule looks for its next slot anew, from the time
 * of the change on; the slots that were due by then, and that nobody had planned, are told as one.
 */
export async function reschedule(
  db: Transaction<Tables>,
  task: LockedTask,
  change: Omit<TaskUpdateRequest, 'task_id'>,
): Promise<{ next_at?: RawBuilder<Date>; last_at?: Date }> {
  if (!changesSchedule(task, change)) return {};
  const next_at = sql<Date>`'-infinity'`;
  const hasYetToRunOnce = (change.cycle ?? task.cycle) === 0 && task.last_at === null;
  if (!hasYetToRunOnce) {
    const skipped = await skipDueSlot(db, task, task.now.getTime());
    return skipped === undefined ? { next_at } : { next_at, last_at: skipped };
  }
  // Its one run is still to come, when its new schedule lets it, and may have this very moment for its slot.
  if (task.cycle !== 0) await skipDueSlot(db, task, task.now.getTime() - 1);
  return { next_at };
}

function changesSchedule(task: LockedTask, change: Omit<TaskUpdateRequest, 'task_id'>): boolean {
  const { type = task.type, status = task.status, cycle = task.cycle, task_time = task.task_time } = change;
  return (
    type !== task.type ||
    status !== task.status ||
    cycle !== task.cycle ||
    !isDeepStrictEqual(task_time, task.task_time)
  );
}

/**
 * Stores a slot in which nothing was planned for the newest time that was due at `atMs`, and returns that time; undefined
 * when nothing was due. A task with a window may count more missed slots than its window had.
 */
export async function skipDueSlot(
  db: Transaction<Tables>,
  { task_id, type, status, cycle, next_at: nextAt }: LockedTask,
  atMs: number,
): Promise<Date | undefined> {
  const isPlanned = type === 'dns' && status === 1;
  if (!isPlanned || !(nextAt instanceof Date) || nextAt.getTime() > atMs) return undefined;
  const cycleMs = cycle * 1000;
  const missed = cycle === 0 ? 0 : Math.floor((atMs - nextAt.getTime()) / cycleMs);
  const scheduledAtMs = nextAt.getTime() + missed * cycleMs;
  const scheduled_at = new Date(scheduledAtMs);
  const reason: SkipReason = 'CHANGED';
  await db
    .insertInto('probe_slot')
    .values({
      scheduled_at,
      task_id,
      expires_at: new Date(scheduledAtMs + (cycleMs || onceTermMs)),
      agents: 0,
      runs: 0,
      cells: 0,
      missed: Math.min(missed, maxPostgresInteger),
      skipped: JSON.stringify([{ reason, count: 0, ids: [] }]),
    })
    // A clock that was set back may come by a slot that was planned.
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return scheduled_at;
}
