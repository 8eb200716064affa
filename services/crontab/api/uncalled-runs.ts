// What is not called any more, because somebody disabled, changed or deleted its task: the log says so.
import { sql, type Transaction } from 'kysely';
import { crontabRunTypes, crontabStatuses } from '../../../contracts/crontab.ts';
import { formatNumbers } from '../../../infra/database/statement-values.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import type { EventLoopPauses } from '../../../infra/event-loop-pauses.ts';
import { chooseTime, type MissedTimes } from '../run/choose-time.ts';
import { logUncalled } from '../run/log-uncalled.ts';
import { parseSchedule } from '../schedule/parse-schedule.ts';
import type { ScheduledTask } from './stored-tasks.ts';

export const pausedReason = 'the task was disabled';

/** Drops the runs of these tasks that wait: their first call, or a retry. What is under way goes on. */
export async function cancelRuns(
  db: Transaction<Tables>,
  taskIds: readonly string[],
  reason: string,
): Promise<void> {
  if (taskIds.length === 0) return;
  await sql`
    with cancelled as (
      delete from crontab_run where task_id = any (${formatNumbers(taskIds)}::bigint[]) and state = 0 returning *)
    insert into crontab_log (scheduled_at, run_id, try, task_id, name, run_type, status, begin_at, end_at, method, url,
      body, resp, err)
    select run.scheduled_at, run.id, run.try, run.task_id, task.name,
      case when run.try + run.lapses > 0 then ${crontabRunTypes.retry} else run.run_type end,
      ${crontabStatuses.skipped}, now(), now(), task.method, task.url, task.body, '', ${cancelled(reason)}
    from cancelled run join crontab_task task using (task_id)`.execute(db);
}

/** Times of one task that were due, and that no turn had planned. */
export type UnplannedTimes = MissedTimes & { taskId: string };

/** Undefined when there are none at `nowMs`. */
export function findUnplanned(task: ScheduledTask, nowMs: number): UnplannedTimes | undefined {
  const { task_id: taskId, anchor_at, next_at, last_at } = task;
  const nextAt = Number(next_at);
  if (nextAt > nowMs) return undefined;
  const anchorAt = Number(anchor_at);
  const schedule = parseSchedule({ ...task, anchorMs: anchorAt });
  // It was put off, and has no times.
  if (!schedule.ok) return undefined;
  const lastAt = last_at === null ? null : Number(last_at);
  // All that was due is too late now.
  const due = { times: schedule.times, anchorAt, nextAt, lastAt, windowMs: -Infinity };
  const { missed } = chooseTime(due, nowMs);
  return missed && { ...missed, taskId };
}

export async function findAllUnplanned(
  tasks: readonly ScheduledTask[],
  nowMs: number,
  pauses: EventLoopPauses,
): Promise<UnplannedTimes[]> {
  const unplanned: UnplannedTimes[] = [];
  for (const task of tasks) {
    if (pauses.isDue()) await pauses.take();
    const times = findUnplanned(task, nowMs);
    if (times !== undefined) unplanned.push(times);
  }
  return unplanned;
}

/** To be called while the tasks are still there. */
export function logUnplanned(
  db: Transaction<Tables>,
  unplanned: readonly UnplannedTimes[],
  reason: string,
): Promise<void> {
  const err = cancelled(reason);
  return logUncalled(
    db,
    unplanned.map((times) => ({ ...times, status: crontabStatuses.missed, err })),
  );
}

function cancelled(reason: string): string {
  return `CANCELLED: ${reason}`;
}
