// One transaction of a turn: locks due tasks, chooses a time of each, stores runs and what is not to run, and moves the
// tasks on.
import { type RawBuilder, type Selectable, sql, type Transaction } from 'kysely';
import { crontabRunTypes, crontabStatuses } from '../../../contracts/crontab.ts';
import { formatNumbers, formatTimes, fromMs } from '../../../infra/database/statement-values.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { createEventLoopPauses } from '../../../infra/event-loop-pauses.ts';
import type { Logger } from '../../../infra/logger.ts';
import { type Advance, advanceTasks, beginTurn } from '../../../infra/schedule/due-tasks.ts';
import type { TurnChoice } from '../../../infra/schedule/take-turn-safely.ts';
import { measureTurn, type TurnSize } from '../../../infra/schedule/turn-size.ts';
import { parseSchedule } from '../schedule/parse-schedule.ts';
import { chooseTime, type MissedTimes, maxCounted, type TimeChoice } from './choose-time.ts';
import { logUncalled, type UncalledTimes } from './log-uncalled.ts';

export type Turn = TurnSize & { planned: PlannedTime[] };

/** What a turn made of one task. */
export type PlannedTime = {
  taskId: string;
  /** Undefined when nothing is to be called. */
  runAt: number | undefined;
  expiresAt: number;
  target: string;
  /** A time that is passed over, because the run before it is still under way. */
  skippedAt: number | undefined;
  missed: MissedTimes | undefined;
};

/** Tasks that one turn locks. */
export const maxTurnTasks = 500;
/** A turn that has taken this long leaves the rest to the next one: to count what was missed takes its time. */
const maxTurnMs = 1000;
/** Missed times that one turn counts, of all its tasks: more would hold up those that are due now. */
const maxCountedTogether = 10_000;
const minCounted = 20;
/** Times are planned this much ahead, so that the call itself is all that is left to do when they come. */
export const aheadMs = 500;
/** A task that cannot be understood is looked at again after this time. */
export const faultPauseMs = 60_000;
/** How late a task may be called that is not to be called late: as long as it takes when there is much to do. */
const punctualWindowMs = 5000;
/** A run that is planned late still has this long to be claimed. */
const minTermMs = 30_000;

type DueTask = Selectable<
  Pick<
    Tables['crontab_task'],
    'type' | 'start_time' | 'time_zone' | 'overlap' | 'misfire' | 'misfire_window' | 'target'
  >
> & { taskId: string; anchorAt: number; nextAt: number; lastAt: number | null };

/**
 * `among`: takes these tasks only; `onLocked` is told which it got. Any number of replicas may do so at once: each takes
 * tasks that no other has locked.
 */
export async function takeTurn(
  db: Transaction<Tables>,
  choice: TurnChoice & { limit: number },
  logger: Logger,
): Promise<Turn> {
  const { limit, among, onLocked } = choice;
  const { tasks, nowMs } = await lockDueTasks(db, limit, among);
  onLocked(tasks.map(({ taskId }) => taskId));
  const busy = await readBusyTasks(db, tasks);
  const planned: PlannedTime[] = [];
  const advances: Advance[] = [];
  const endAt = performance.now() + maxTurnMs;
  const pauses = createEventLoopPauses();
  const countLimit = Math.max(
    minCounted,
    Math.min(Math.floor(maxCountedTogether / tasks.length), maxCounted),
  );
  let left = 0;
  for (const task of tasks) {
    if (advances.length > 0 && performance.now() > endAt) break;
    if (pauses.isDue()) await pauses.take();
    const isBusy = busy.has(task.taskId);
    if (isBusy && task.nextAt > nowMs) {
      left += 1;
      continue;
    }
    const chosen = chooseSafely(task, nowMs, countLimit, logger);
    if (chosen.scheduledAt !== undefined || chosen.missed !== undefined) {
      planned.push(planTime(task, isBusy, chosen, nowMs));
    }
    const lastAt = chosen.scheduledAt ?? chosen.missed?.lastAt ?? null;
    advances.push({ taskId: task.taskId, nextAt: chosen.nextAt, lastAt });
  }
  await storeRuns(db, planned);
  await logUncalled(db, planned.flatMap(listUncalled));
  if (advances.length > 0) await advanceTasks(db, 'crontab_task', advances);
  const taken = { locked: tasks.length, taken: advances.length + left };
  return { planned, ...measureTurn({ limit, ...taken, maxTasks: maxTurnTasks }) };
}

/**
 * Enabled tasks that are due, or will be in a moment. Of those that must not overlap, the ones with a run under way are
 * left until their very time: the run may have ended by then.
 */
async function lockDueTasks(
  db: Transaction<Tables>,
  limit: number,
  among?: string[],
): Promise<{ tasks: DueTask[]; nowMs: number }> {
  await beginTurn(db);
  const rows = await db
    .selectFrom('crontab_task')
    .select(['task_id', 'type', 'start_time', 'time_zone', 'overlap', 'misfire', 'misfire_window', 'target'])
    .select(['anchor_at', 'next_at', 'last_at'])
    .select(sql<Date>`now()`.as('now'))
    .where('next_at', '<=', sql<Date>`now() + ${aheadMs}::float8 * interval '1 ms'`)
    // What the index is restricted to.
    .where('next_at', '<', sql<Date>`'infinity'`)
    .where(sql<boolean>`(next_at <= now() or overlap = 'allow' or not exists (${runsUnderWay}))`)
    .$if(among !== undefined, (query) => query.where('task_id', '=', sql<string>`any(${among}::bigint[])`))
    .orderBy('next_at')
    .limit(limit)
    .forUpdate()
    .skipLocked()
    .execute();
  const tasks = rows.map(({ task_id: taskId, anchor_at, next_at, last_at, now, ...task }) => ({
    ...task,
    taskId,
    anchorAt: Number(anchor_at),
    nextAt: Number(next_at),
    lastAt: last_at === null ? null : Number(last_at),
  }));
  return { tasks, nowMs: rows[0]?.now.getTime() ?? 0 };
}

/** What waits to be buried is not under way. */
const runsUnderWay: RawBuilder<unknown> = sql`
  select from crontab_run run
  where run.task_id = crontab_task.task_id and not (run.state = 0 and run.expires_at <= now())
  -- Sought task by task: otherwise Postgres may read the runs of all tasks for the sake of one.
  offset 0`;

/**
 * Of these tasks, those that must not overlap and have a run under way. To be asked once they are locked: what locks them
 * sees the runs as they were when it began, and another replica may have planned one for the same task since.
 */
async function readBusyTasks(db: Transaction<Tables>, tasks: DueTask[]): Promise<ReadonlySet<string>> {
  const ids = tasks.flatMap(({ taskId, overlap }) => (overlap === 'skip' ? [taskId] : []));
  if (ids.length === 0) return new Set();
  const { rows } = await sql<{ task_id: string }>`
    select task_id from unnest(${formatNumbers(ids)}::bigint[]) as crontab_task (task_id)
    where exists (${runsUnderWay})`.execute(db);
  return new Set(rows.map(({ task_id: id }) => id));
}

/** One task that cannot be understood must not stop the others of its turn, nor all turns after it. */
function chooseSafely(task: DueTask, nowMs: number, countLimit: number, logger: Logger): TimeChoice {
  try {
    const { type, start_time, time_zone, anchorAt, nextAt, lastAt } = task;
    const parsed = parseSchedule({ type, start_time, time_zone, anchorMs: anchorAt });
    if (!parsed.ok) throw new Error(`${parsed.field}: ${parsed.reason}`);
    const schedule = { times: parsed.times, anchorAt, nextAt, lastAt, windowMs: windowOf(task) };
    return chooseTime(schedule, nowMs, countLimit);
  } catch (error) {
    logger.error({ err: error, task: task.taskId }, 'a task cannot be scheduled');
    return { scheduledAt: undefined, missed: undefined, nextAt: nowMs + faultPauseMs };
  }
}

/** How late the task may be called. */
function windowOf({ misfire, misfire_window }: DueTask): number {
  return misfire === 'fire' ? misfire_window * 1000 : punctualWindowMs;
}

function planTime(
  task: DueTask,
  isSkipped: boolean,
  { scheduledAt, missed }: TimeChoice,
  nowMs: number,
): PlannedTime {
  const { taskId, target } = task;
  return {
    taskId,
    target,
    runAt: isSkipped ? undefined : scheduledAt,
    skippedAt: isSkipped ? scheduledAt : undefined,
    expiresAt: Math.max((scheduledAt ?? nowMs) + windowOf(task), nowMs + minTermMs),
    missed,
  };
}

/** A time that has its run already is a fault, and fails the transaction. */
async function storeRuns(db: Transaction<Tables>, planned: PlannedTime[]): Promise<void> {
  const runs = planned.filter(({ runAt }) => runAt !== undefined);
  if (runs.length === 0) return;
  await sql`
    insert into crontab_run (task_id, scheduled_at, run_type, target, due_at, expires_at)
    select task_id, ${fromMs('run_at')}, ${crontabRunTypes.normal}, target, ${fromMs('run_at')}, ${fromMs('expires_at')}
    from unnest(
      ${formatNumbers(runs.map(({ taskId }) => taskId))}::bigint[],
      ${formatTimes(runs.map(({ runAt = null }) => runAt))}::float8[],
      ${formatTimes(runs.map(({ expiresAt }) => expiresAt))}::float8[],
      ${runs.map(({ target }) => target)}::text[]
    ) as run (task_id, run_at, expires_at, target)`.execute(db);
}

/** Times that are passed over. */
function listUncalled({ taskId, skippedAt, missed }: PlannedTime): UncalledTimes[] {
  const uncalled: UncalledTimes[] = [];
  if (missed !== undefined) {
    const err = 'MISSED: nobody was there to call it in time';
    uncalled.push({ taskId, status: crontabStatuses.missed, ...missed, err });
  }
  if (skippedAt !== undefined) {
    const err = 'OVERLAP: the run before it is still under way';
    const at = { firstAt: skippedAt, lastAt: skippedAt };
    uncalled.push({ taskId, status: crontabStatuses.skipped, ...at, count: 0, err });
  }
  return uncalled;
}
