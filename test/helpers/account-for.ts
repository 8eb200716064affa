// The books of recurring tasks: does every slot have its place on the grid, and every planned cell its one result?
import type { SkippedPart } from '../../contracts/task-slot.ts';
import { phaseOf, slotAfter, slotUntil } from '../../infra/schedule/slot-grid.ts';
import type { RecurringPlatform } from './recurring-platform.ts';

export type Account = {
  /** Tasks that have slots. */
  tasks: number;
  slots: number;
  missed: number;
  cells: number;
  /** Results by status. */
  statuses: Record<string, number>;
  /** Skipped parts by reason. */
  skipped: Record<string, number>;
  /** Everything that does not add up, one line each. */
  faults: string[];
};

type SlotRow = {
  task_id: string;
  scheduled_at: Date;
  agents: number;
  cells: number;
  missed: number;
  skipped: SkippedPart[];
};
type TaskRow = {
  task_id: string;
  cycle: number;
  created_at: Date;
  last_at: Date | null;
  next_at: Date | number;
};
type ResultRow = {
  task_id: string;
  scheduled_at: Date;
  agent_id: string;
  count: number;
  cells: number;
  first: number;
  last: number;
};

/** When a task was paused: its `updated_at` then, and when it was resumed. */
export type Pause = { taskId: string; from: Date; to: Date };

/**
 * Reads all of it while nothing is at work. Slots of a task must follow each other on its grid from its creation on,
 * with `missed` for those that have none of their own, up to its `next_at`; what lies within a pause was never due, and
 * must have no slot. A deleted task has no grid any more, and its slots are only counted.
 */
export async function accountFor(
  { query }: Pick<RecurringPlatform, 'query'>,
  { pauses = [] }: { pauses?: Pause[] } = {},
): Promise<Account> {
  const slots = await query<SlotRow>(
    'select task_id, scheduled_at, agents, cells, missed, skipped from probe_slot order by task_id, scheduled_at',
  );
  const tasks = await query<TaskRow>('select task_id, cycle, created_at, last_at, next_at from probe_task');
  const results = await query<ResultRow>(`
    select task_id, scheduled_at, agent_id, count(*)::integer as count, count(distinct cell)::integer as cells,
      min(cell) as first, max(cell) as last
    from probe_result group by task_id, scheduled_at, agent_id`);
  const statuses = await query<{ status: string; count: number }>(
    'select status, count(*)::integer as count from probe_result group by status',
  );
  const [runs] = await query<{ count: number }>('select count(*)::integer as count from probe_run');

  const slotsByTask = Map.groupBy(slots, ({ task_id: id }) => id);
  const faults = [
    ...(runs?.count === 0 ? [] : [`${runs?.count} runs are left`]),
    ...tasks.flatMap((task) =>
      findGridFaults(
        task,
        slotsByTask.get(task.task_id) ?? [],
        pauses.filter(({ taskId }) => taskId === task.task_id),
      ),
    ),
    ...findResultFaults(slots, results),
  ];
  const skipped: Record<string, number> = {};
  for (const { reason } of slots.flatMap((slot) => slot.skipped)) {
    skipped[reason] = (skipped[reason] ?? 0) + 1;
  }
  return {
    tasks: slotsByTask.size,
    slots: slots.length,
    missed: sum(slots.map(({ missed }) => missed)),
    cells: sum(slots.map(({ cells }) => cells)),
    statuses: Object.fromEntries(statuses.map(({ status, count }) => [status, count])),
    skipped,
    faults,
  };
}

function findGridFaults(task: TaskRow, slots: SlotRow[], pauses: Pause[]): string[] {
  const { task_id: id, cycle, created_at: createdAt, last_at: lastAt, next_at: nextAt } = task;
  const faults: string[] = [];
  const last = slots.at(-1)?.scheduled_at;
  if (last?.getTime() !== lastAt?.getTime()) faults.push(`task ${id}: ${describe(last)} is not its last_at`);
  if (cycle === 0) {
    if (slots.length > 1) faults.push(`task ${id}: ran once and has ${slots.length} slots`);
    return faults;
  }
  const cycleMs = cycle * 1000;
  const phaseMs = phaseOf(id, cycleMs);
  /** `atMs`, or the first slot after the pause that it lies in. */
  const afterPause = (atMs: number) => {
    const pause = pauses.find(({ from, to }) => atMs > from.getTime() && atMs <= to.getTime());
    return pause === undefined ? atMs : slotAfter(phaseMs, cycleMs, pause.to.getTime());
  };
  let expected = afterPause(slotAfter(phaseMs, cycleMs, createdAt.getTime()));
  for (const { scheduled_at: scheduledAt, missed } of slots) {
    const first = scheduledAt.getTime() - missed * cycleMs;
    if (slotUntil(phaseMs, cycleMs, first) !== first) {
      faults.push(`task ${id}: ${describe(scheduledAt)} is not on its grid`);
    }
    if (first !== expected) {
      faults.push(
        `task ${id}: ${describe(scheduledAt)} stands for ${missed}, not from ${describe(expected)} on`,
      );
    }
    expected = afterPause(scheduledAt.getTime() + cycleMs);
  }
  // -Infinity: the next slot has yet to be found.
  if (nextAt instanceof Date && nextAt.getTime() !== expected) {
    faults.push(`task ${id}: goes on at ${describe(nextAt)} and not at ${describe(expected)}`);
  }
  return faults;
}

function findResultFaults(slots: SlotRow[], results: ResultRow[]): string[] {
  const faults: string[] = [];
  const bySlot = Map.groupBy(results, slotKey);
  const known = new Set<string>();
  for (const slot of slots) {
    const key = slotKey(slot);
    if (known.has(key)) faults.push(`${key}: planned twice`);
    known.add(key);
    const found = bySlot.get(key) ?? [];
    const cells = sum(found.map(({ count }) => count));
    if (cells !== slot.cells) faults.push(`${key}: ${cells} results of ${slot.cells} cells`);
    if (found.length !== slot.agents) faults.push(`${key}: ${found.length} agents of ${slot.agents}`);
    for (const { agent_id: agent, count, cells: distinct, first, last } of found) {
      if (first !== 0 || last !== count - 1 || distinct !== count) {
        faults.push(`${key}: ${agent} has ${count} results, of ${distinct} cells from ${first} to ${last}`);
      }
    }
  }
  for (const key of bySlot.keys()) if (!known.has(key)) faults.push(`${key}: results without a slot`);
  return faults;
}

function slotKey({ task_id: id, scheduled_at: at }: { task_id: string; scheduled_at: Date }): string {
  return `task ${id} at ${at.toISOString()}`;
}

function describe(at: Date | number | undefined): string {
  return at === undefined ? 'no slot' : new Date(at).toISOString();
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
