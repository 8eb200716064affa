// One turn of the scheduler: due tasks → slots and runs. A newcomer reads this file first.
import type { SkipReason } from '../../contracts/slot.ts';
import { taskSchema } from '../../contracts/task.ts';
import type { Database } from '../../infra/database/database.ts';
import type { Logger } from '../../infra/logger.ts';
import { chooseSlot, type SlotChoice } from './choose-slot.ts';
import { planRuns, type RunPlan } from './plan-runs.ts';
import {
  type Advance,
  advanceTasks,
  type DueTask,
  lockDueTasks,
  type PlannedSlot,
  readBusyAgents,
  readDefinitions,
  storeSlots,
} from './schedule-store.ts';
import { createTaskWindow } from './task-time.ts';

export type Turn = {
  slots: PlannedSlot[];
  /** By the clock of the database. */
  nowMs: number;
  /** More tasks may be due than this turn took. */
  isFull: boolean;
};

export type TurnOptions = {
  /** An agent heard of within this time is alive. */
  aliveMs: number;
  /** Where clock times and dates without an offset are meant. */
  timeZone: string;
  /** Cells of one slot. */
  maxCells: number;
};

/** Tasks of one turn, and cells after which it takes no further task: a turn is one transaction. */
const maxTasks = 500;
const maxTurnCells = 100_000;
/** The columns that may hold any JSON. */
const storedJson = taskSchema.pick({ probe_data: true, target: true, task_time: true });
/** A task that cannot be understood is looked at again after this time. */
const faultPauseMs = 60_000;

/**
 * Locks due tasks, plans a slot of each, stores the runs and moves the tasks on to their next slots, all or nothing. Any
 * number of schedulers may do so at once: each takes tasks that no other has locked.
 */
export function scheduleTasks(database: Database, options: TurnOptions, logger: Logger): Promise<Turn> {
  return database.transact(async (db) => {
    const { tasks, nowMs } = await lockDueTasks(db, maxTasks);
    const advances: Advance[] = [];
    const due: { task: DueTask; choice: SlotChoice & { kind: 'slot' } }[] = [];
    for (const task of tasks) {
      const choice = chooseSafely(task, options.timeZone, nowMs, logger);
      if (choice.kind === 'slot') due.push({ task, choice });
      else advances.push({ taskId: task.task_id, nextAt: choice.nextAt, lastAt: task.lastAt });
    }

    const slots: PlannedSlot[] = [];
    if (due.length > 0) {
      const dueTasks = due.map(({ task }) => task);
      const definitions = await readDefinitions(db, dueTasks, options.aliveMs);
      const isBusy = await readBusyAgents(
        db,
        dueTasks.map(({ task_id }) => task_id),
      );
      let cellCount = 0;
      for (const { task, choice } of due) {
        if (cellCount >= maxTurnCells) break;
        const plan = planSafely(
          task,
          () => planRuns(task, definitions, (agentId) => isBusy(task.task_id, agentId), options.maxCells),
          logger,
        );
        cellCount += plan.cellCount;
        slots.push({ taskId: task.task_id, ...choice, ...plan });
        advances.push({ taskId: task.task_id, nextAt: choice.nextAt, lastAt: choice.scheduledAt });
      }
      await storeSlots(db, slots);
    }
    if (advances.length > 0) await advanceTasks(db, advances);
    return { slots, nowMs, isFull: tasks.length === maxTasks || slots.length < due.length };
  });
}

/** One task that cannot be understood must not stop the others of its turn, nor all turns after it. */
function chooseSafely(task: DueTask, timeZone: string, nowMs: number, logger: Logger): SlotChoice {
  try {
    storedJson.parse(task);
    return chooseSlot(task, createTaskWindow(task.task_time, timeZone), nowMs);
  } catch (error) {
    logger.error({ err: error, task: task.task_id }, 'a task cannot be scheduled');
    return { kind: 'wait', nextAt: nowMs + faultPauseMs };
  }
}

function planSafely(task: DueTask, plan: () => RunPlan, logger: Logger): RunPlan {
  try {
    return plan();
  } catch (error) {
    logger.error({ err: error, task: task.task_id }, 'a slot cannot be planned');
    const reason: SkipReason = 'INTERNAL';
    return { runs: [], agentCount: 0, cellCount: 0, skipped: [{ reason, ids: [] }] };
  }
}
