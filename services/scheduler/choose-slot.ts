// Which slot of a task is due now, and when the next one is. Pure; all times are milliseconds since the epoch.
import { phaseOf, slotAfter, slotUntil } from '../../infra/schedule/slot-grid.ts';
import type { TaskWindow } from './task-window.ts';

export type Schedule = {
  task_id: string;
  /** Seconds; 0 runs once. */
  cycle: number;
  /** The next slot; -Infinity when it has yet to be found: in a new task, and in one whose schedule was changed. */
  nextAt: number;
  /** The newest slot that was planned. */
  lastAt: number | null;
  /** When the task was last changed. */
  updatedAt: number;
};

/** A slot to plan now, or nothing but the time of the next one. `nextAt` is Infinity when there is none any more. */
export type SlotChoice =
  | { kind: 'wait'; nextAt: number }
  | {
      kind: 'slot';
      scheduledAt: number;
      /** Earlier slots that this one stands for. */
      missed: number;
      /** From then on its runs are not worth running. */
      expiresAt: number;
      nextAt: number;
    };

/** A run that is planned late, or of a short cycle, still has this long to be claimed. */
const minTermMs = 30_000;
/** The same for a task that runs once. */
const onceTermMs = 3600_000;

/** The newest slot that is due stands for those before it that nobody planned. */
export function chooseSlot(schedule: Schedule, window: TaskWindow, nowMs: number): SlotChoice {
  return schedule.cycle === 0
    ? chooseOnce(schedule, window, nowMs)
    : chooseRecurring(schedule, window, nowMs);
}

function chooseOnce({ lastAt, nextAt, updatedAt }: Schedule, window: TaskWindow, nowMs: number): SlotChoice {
  if (lastAt !== null) return { kind: 'wait', nextAt: Infinity };
  const slot = nextAt === -Infinity ? window.openFrom(updatedAt) : nextAt;
  if (slot > nowMs) return { kind: 'wait', nextAt: slot };
  return {
    kind: 'slot',
    scheduledAt: slot,
    missed: 0,
    expiresAt: Math.max(slot + onceTermMs, nowMs + minTermMs),
    nextAt: Infinity,
  };
}

function chooseRecurring(schedule: Schedule, window: TaskWindow, nowMs: number): SlotChoice {
  const taskId = schedule.task_id;
  const cycleMs = schedule.cycle * 1000;
  const grid = { taskId, cycleMs, phaseMs: phaseOf(taskId, cycleMs) };
  const after = (atMs: number) => slotInWindowAfter(grid, window, atMs);
  const { nextAt, updatedAt } = schedule;
  const lastAt = schedule.lastAt ?? -Infinity;

  let slot = nextAt;
  if (slot === -Infinity) slot = after(Math.max(updatedAt, lastAt));
  // The clock of the database was set back: no slot is planned twice.
  else if (slot <= lastAt) slot = after(lastAt);
  if (slot > nowMs) return { kind: 'wait', nextAt: slot };

  let missed = 0;
  // The later slots until now are counted for each opening of the window at once.
  for (let next = after(slot); next <= nowMs; next = after(slot)) {
    const lastOpenMs = Math.min(next + window.openFor(next) - 1, nowMs);
    slot = Math.max(next, slotUntil(grid.phaseMs, cycleMs, lastOpenMs));
    missed += 1 + (slot - next) / cycleMs;
  }
  return {
    kind: 'slot',
    scheduledAt: slot,
    missed,
    expiresAt: Math.max(slot + cycleMs, nowMs + minTermMs),
    nextAt: after(slot),
  };
}

type Grid = { taskId: string; cycleMs: number; phaseMs: number };

/**
 * The next time of the grid that lies in the window. A window that falls between two times of the grid gets a slot of
 * its own, placed by the task's id: whoever asks for one probe a day between 9 and 10 wants that one.
 */
function slotInWindowAfter(grid: Grid, window: TaskWindow, atMs: number): number {
  const gridMs = slotUntil(grid.phaseMs, grid.cycleMs, atMs);
  const slot = moveIntoWindow(grid, window, gridMs);
  return slot > atMs ? slot : moveIntoWindow(grid, window, gridMs + grid.cycleMs);
}

/** The first slot that is not before this time of the grid. */
function moveIntoWindow({ taskId, cycleMs, phaseMs }: Grid, window: TaskWindow, gridMs: number): number {
  if (window.has(gridMs)) return gridMs;
  const openMs = window.openFrom(gridMs);
  if (openMs === Infinity) return Infinity;
  const lengthMs = window.openFor(openMs);
  const inWindow = slotAfter(phaseMs, cycleMs, openMs - 1);
  return inWindow < openMs + lengthMs ? inWindow : openMs + phaseOf(taskId, lengthMs);
}
