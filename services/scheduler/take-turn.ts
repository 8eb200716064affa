// One transaction of the scheduler: locks due tasks, plans a slot of each, stores the runs and moves the tasks on.
import type { Transaction } from 'kysely';
import { type Task, taskSchema } from '../../contracts/task.ts';
import type { SkipReason } from '../../contracts/task-slot.ts';
import type { Tables } from '../../infra/database/tables.ts';
import type { Logger } from '../../infra/logger.ts';
import { type Advance, advanceTasks } from '../../infra/schedule/due-tasks.ts';
import { phaseOf, slotUntil } from '../../infra/schedule/slot-grid.ts';
import type { TurnChoice } from '../../infra/schedule/take-turn-safely.ts';
import { measureTurn, type TurnSize } from '../../infra/schedule/turn-size.ts';
import type { Absence } from './agent-absence.ts';
import { chooseSlot, type SlotChoice } from './choose-slot.ts';
import { planRuns, type RunPlan, skip } from './plan-runs.ts';
import {
  type DueTask,
  domainGroupsOf,
  lockDueTasks,
  readBusyAgents,
  readDefinitions,
  readDomainGroupSizes,
  readTargets,
} from './schedule-store.ts';
import { type PlannedSlot, storeSlots } from './store-slots.ts';
import { alwaysOpen, createTaskWindow, type TaskWindow } from './task-window.ts';

export type Turn = TurnSize & {
  slots: PlannedSlot[];
  /** By the clock of the database. */
  nowMs: number;
};

export type TurnOptions = Absence & {
  /** Where clock times and dates without an offset are meant. */
  timeZone: string;
  /** Cells of one slot. */
  maxCells: number;
};

/** Tasks that one turn locks. */
export const maxTurnTasks = 500;
/** Cells after which a turn takes no further task: it is one transaction. */
const maxTurnCells = 100_000;
/** Stored octets of targets, and of domain groups, that one turn reads, unless a single task has more. */
const maxTurnOctets = 1024 * 1024;
/** A task that cannot be understood is looked at again after this time. */
export const faultPauseMs = 60_000;
/** The columns that may hold any JSON. */
const storedJson = taskSchema.pick({ probe_data: true, task_time: true });
const storedTarget = taskSchema.shape.target;
/** Reasons that are over when agents are back. */
const awayReasons: readonly string[] = ['NO_AGENTS', 'AGENT_AWAY'] satisfies SkipReason[];

type DueSlot = { task: DueTask; window: TaskWindow; choice: SlotChoice & { kind: 'slot' } };
type DueSlotWithTarget = DueSlot & { target: Task['target'] };

/** What is due and too much for this turn stays as it is, for the next one. */
export async function takeTurn(
  db: Transaction<Tables>,
  choice: TurnChoice & { limit: number },
  options: TurnOptions,
  logger: Logger,
): Promise<Turn> {
  const { limit, among, onLocked } = choice;
  const { tasks, nowMs } = await lockDueTasks(db, limit, among);
  onLocked(tasks.map(({ task_id }) => task_id));
  const advances: Advance[] = [];
  const due: DueSlot[] = [];
  for (const task of tasks) {
    const chosen = chooseSafely(task, options.timeZone, nowMs, logger);
    if (chosen.choice.kind === 'slot') due.push({ task, window: chosen.window, choice: chosen.choice });
    else advances.push({ taskId: task.task_id, nextAt: chosen.choice.nextAt, lastAt: null });
  }
  const { readable, unreadable } = await readDueTargets(db, due, logger);
  for (const taskId of unreadable) advances.push({ taskId, nextAt: nowMs + faultPauseMs, lastAt: null });
  const planned = await planSlots(db, await limitDomainGroups(db, readable), { ...options, nowMs }, logger);
  advances.push(...planned.advances);
  if (planned.slots.length > 0) await storeSlots(db, planned.slots);
  if (advances.length > 0) await advanceTasks(db, 'probe_task', advances);

  const counts = { limit, locked: tasks.length, taken: advances.length, maxTasks: maxTurnTasks };
  return { slots: planned.slots, nowMs, ...measureTurn(counts) };
}

/** One task that cannot be understood must not stop the others of its turn, nor all turns after it. */
function chooseSafely(
  task: DueTask,
  timeZone: string,
  nowMs: number,
  logger: Logger,
): { choice: SlotChoice; window: TaskWindow } {
  try {
    storedJson.parse(task);
    if (![task.lastAt ?? 0, task.updatedAt].every(Number.isFinite)) throw new Error('a time is infinite');
    const window = createTaskWindow(task.task_time, timeZone);
    const choice = chooseSlot({ ...task, nextAt: onGrid(task, window) }, window, nowMs);
    if (Number.isNaN(choice.nextAt)) throw new Error('the window has no times');
    return { choice, window };
  } catch (error) {
    logger.error({ err: error, task: task.task_id }, 'a task cannot be scheduled');
    return { choice: { kind: 'wait', nextAt: nowMs + faultPauseMs }, window: alwaysOpen };
  }
}

/** The time to which a task was put off is none of its slots: the one before it is. */
function onGrid({ task_id, cycle, nextAt }: DueTask, window: TaskWindow): number {
  if (cycle === 0 || !Number.isFinite(nextAt)) return nextAt;
  const cycleMs = cycle * 1000;
  const gridMs = slotUntil(phaseOf(task_id, cycleMs), cycleMs, nextAt);
  return window.has(gridMs) ? gridMs : nextAt;
}

/** The targets of the first slots that are not too much together; and the tasks whose targets are none. */
async function readDueTargets(
  db: Transaction<Tables>,
  due: DueSlot[],
  logger: Logger,
): Promise<{ readable: DueSlotWithTarget[]; unreadable: string[] }> {
  const fitting = takeWithin(due, maxTurnOctets, ({ task }) => task.targetSize);
  if (fitting.length === 0) return { readable: [], unreadable: [] };
  const unread = fitting.flatMap(({ task }) => (task.target === null ? [task.task_id] : []));
  const targets = unread.length === 0 ? undefined : await readTargets(db, unread);
  const readable: DueSlotWithTarget[] = [];
  const unreadable: string[] = [];
  for (const slot of fitting) {
    const { task_id } = slot.task;
    const { data: target, error } = storedTarget.safeParse(slot.task.target ?? targets?.get(task_id));
    if (target !== undefined) {
      readable.push({ ...slot, target });
      continue;
    }
    logger.error({ err: error, task: task_id }, 'a task cannot be scheduled');
    unreadable.push(task_id);
  }
  return { readable, unreadable };
}

/** The first slots whose domain groups are not too much together. */
async function limitDomainGroups(
  db: Transaction<Tables>,
  slots: DueSlotWithTarget[],
): Promise<DueSlotWithTarget[]> {
  const groupIds = slots.flatMap(({ target }) => domainGroupsOf(target));
  const sizes = await readDomainGroupSizes(db, groupIds);
  return takeWithin(slots, maxTurnOctets, ({ target }) => {
    let size = 0;
    for (const id of domainGroupsOf(target)) {
      size += sizes.get(id) ?? 0;
      // Read once, for whoever comes after.
      sizes.delete(id);
    }
    return size;
  });
}

/** The first items whose sizes are within the limit together; one at least. */
function takeWithin<Item>(items: Item[], limit: number, sizeOf: (item: Item) => number): Item[] {
  let sum = 0;
  const end = items.findIndex((item, index) => {
    sum += sizeOf(item);
    return index > 0 && sum > limit;
  });
  return end === -1 ? items : items.slice(0, end);
}

async function planSlots(
  db: Transaction<Tables>,
  due: DueSlotWithTarget[],
  options: TurnOptions & { nowMs: number },
  logger: Logger,
): Promise<{ slots: PlannedSlot[]; advances: Advance[] }> {
  const slots: PlannedSlot[] = [];
  const advances: Advance[] = [];
  if (due.length === 0) return { slots, advances };
  const tasks = due.map(({ task, target }) => ({ ...task, target }));
  const definitions = await readDefinitions(db, tasks, options.aliveMs);
  const isBusy = await readBusyAgents(
    db,
    tasks.map(({ task_id }) => task_id),
  );
  let cellCount = 0;
  for (const { task, target, window, choice } of due) {
    if (cellCount >= maxTurnCells) break;
    const taskId = task.task_id;
    const plan = planSafely(
      taskId,
      () =>
        planRuns({ ...task, target }, definitions, (agentId) => isBusy(taskId, agentId), options.maxCells),
      logger,
    );
    const laterMs = options.nowMs + options.returnMs;
    if (task.cycle === 0 && awaitsAgents(plan, options) && window.has(laterMs)) {
      advances.push({ taskId, nextAt: laterMs, lastAt: null });
      continue;
    }
    cellCount += plan.cellCount;
    slots.push({ taskId, ...choice, ...plan });
    advances.push({ taskId, nextAt: choice.nextAt, lastAt: choice.scheduledAt });
  }
  return { slots, advances };
}

/** A task that runs once must not be used up while its agents are still coming back. */
function awaitsAgents({ runs, skipped }: RunPlan, { returnMs }: Absence): boolean {
  return returnMs > 0 && runs.length === 0 && skipped.some(({ reason }) => awayReasons.includes(reason));
}

function planSafely(taskId: string, plan: () => RunPlan, logger: Logger): RunPlan {
  try {
    return plan();
  } catch (error) {
    logger.error({ err: error, task: taskId }, 'a slot cannot be planned');
    return { runs: [], agentCount: 0, cellCount: 0, skipped: [skip('INTERNAL', [])] };
  }
}
