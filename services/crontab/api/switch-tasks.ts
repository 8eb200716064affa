// Disables and enables tasks. Doing so again changes nothing.
import { sql, type Transaction } from 'kysely';
import type { CrontabItemResult } from '../../../contracts/crontab.ts';
import type { Database } from '../../../infra/database/database.ts';
import { formatNumbers, formatTimes, fromMs } from '../../../infra/database/statement-values.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { parseSchedule } from '../schedule/parse-schedule.ts';
import { changeNamedTasks } from './change-named-tasks.ts';
import { findNextTime } from './check-task.ts';
import { faultOf, type ItemFault } from './item-result.ts';
import type { ScheduledTask } from './stored-tasks.ts';
import { cancelRuns, findAllUnplanned, logUnplanned, pausedReason } from './uncalled-runs.ts';

/** Runs that wait are dropped, and the log says so; what is under way goes on. */
export function pauseTasks(list: readonly unknown[], database: Database): Promise<CrontabItemResult[]> {
  return changeNamedTasks(list, database, async ({ db, tasks, nowMs, pauses }) => {
    const enabled = tasks.filter(({ enable }) => enable === 1);
    const taskIds = enabled.map(({ task_id: taskId }) => taskId);
    const unplanned = await findAllUnplanned(enabled, nowMs, pauses);
    const lastAt = new Map(unplanned.map((times) => [times.taskId, times.lastAt]));
    await logUnplanned(db, unplanned, pausedReason);
    await cancelRuns(db, taskIds, pausedReason);
    await storeSwitches(
      db,
      2,
      taskIds.map((taskId) => ({ taskId, nextAt: Infinity, lastAt: lastAt.get(taskId) ?? null })),
    );
    return new Map();
  });
}

/** They go on with the first time from now on; what has none any more is refused. */
export function resumeTasks(list: readonly unknown[], database: Database): Promise<CrontabItemResult[]> {
  return changeNamedTasks(list, database, async ({ db, tasks, nowMs, pauses }) => {
    const faults = new Map<string, ItemFault>();
    const switches: Switch[] = [];
    for (const task of tasks.filter(({ enable }) => enable === 2)) {
      if (pauses.isDue()) await pauses.take();
      const next = findNext(task, nowMs);
      if (next.nextMs === undefined) faults.set(task.task_id, next.fault);
      else switches.push({ taskId: task.task_id, nextAt: next.nextMs, lastAt: null });
    }
    await storeSwitches(db, 1, switches);
    return faults;
  });
}

function findNext(task: ScheduledTask, nowMs: number): ReturnType<typeof findNextTime> {
  const schedule = parseSchedule({ ...task, anchorMs: Number(task.anchor_at) });
  if (schedule.ok) return findNextTime(schedule.times, nowMs, lastTimeOf(task));
  return { nextMs: undefined, fault: faultOf([{ path: schedule.field, reason: schedule.reason }]) };
}

function lastTimeOf({ last_at: lastAt }: ScheduledTask): number {
  return lastAt === null ? -Infinity : Number(lastAt);
}

/** `nextAt` is Infinity for never; `lastAt` null where the newest planned time stays what it is. */
type Switch = { taskId: string; nextAt: number; lastAt: number | null };

async function storeSwitches(
  db: Transaction<Tables>,
  enable: 1 | 2,
  switches: readonly Switch[],
): Promise<void> {
  if (switches.length === 0) return;
  await sql`
    update crontab_task task
    set enable = ${enable}, updated_at = now(), next_at = ${fromMs('switched.next_at')},
      last_at = coalesce(${fromMs('switched.last_at')}, task.last_at)
    from unnest(
      ${formatNumbers(switches.map(({ taskId }) => taskId))}::bigint[],
      ${formatTimes(switches.map(({ nextAt }) => nextAt))}::float8[],
      ${formatTimes(switches.map(({ lastAt }) => lastAt))}::float8[]
    ) as switched (task_id, next_at, last_at)
    where task.task_id = switched.task_id`.execute(db);
}
