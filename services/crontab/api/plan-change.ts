// What a change makes of a task. Pure.
import type { CrontabTaskUpdate } from '../../../contracts/crontab.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import { anchorAt, checkTask, findNextTime } from './check-task.ts';
import { faultOf, type ItemFault } from './item-result.ts';
import type { WholeTask } from './stored-tasks.ts';
import { changeTask } from './task-definition.ts';
import { findUnplanned, type UnplannedTimes } from './uncalled-runs.ts';

/** A task while the items of a request change it, one after the other. */
export type ChangingTask = {
  row: WholeTask;
  isChanged: boolean;
  /** What was due, and not planned, when its schedule ended. */
  unplanned: UnplannedTimes | undefined;
  /** It was disabled: the runs that wait are dropped. */
  isPaused: boolean;
};

/**
 * Another schedule, or being enabled, lets the next time be sought from `nowMs` on; the fault says what the task as a
 * whole, changed this way, would lack. The name is left to the caller.
 */
export function planChange(
  task: ChangingTask,
  change: CrontabTaskUpdate,
  nowMs: number,
  networks: NetworkPolicy,
): { task: ChangingTask; fault: undefined } | { task: undefined; fault: ItemFault } {
  const { row } = task;
  const changed = { ...row, ...changeTask(row, change) };
  const isRescheduled = (['type', 'start_time', 'time_zone'] as const).some(
    (field) => changed[field] !== row[field],
  );
  const anchorMs = isRescheduled ? anchorAt(nowMs) : row.anchor_at.getTime();
  const checked = checkTask(changed, anchorMs, networks);
  if (checked.times === undefined) return { task: undefined, fault: checked.fault };
  const isEnabled = changed.enable === 1;
  const unplanned = isEnabled && !isRescheduled ? undefined : findUnplanned(row, nowMs);
  const lastAt = unplanned === undefined ? row.last_at : new Date(unplanned.lastAt);
  let nextAt = row.next_at;
  if (isRescheduled || (isEnabled && row.enable === 2)) {
    const next = findNextTime(checked.times, nowMs, lastAt?.getTime());
    if (next.nextMs === undefined) return { task: undefined, fault: next.fault };
    nextAt = new Date(next.nextMs);
  }
  return {
    task: {
      row: {
        ...changed,
        target: checked.target,
        anchor_at: new Date(anchorMs),
        next_at: isEnabled ? nextAt : Infinity,
        last_at: lastAt,
      },
      isChanged: true,
      unplanned: unplanned ?? task.unplanned,
      isPaused: task.isPaused || (row.enable === 1 && !isEnabled),
    },
    fault: undefined,
  };
}

/** The fault of a change that changes nothing at all. */
export const nothingGiven: ItemFault = faultOf([{ path: '', reason: 'expected a field that changes' }]);

/** Besides naming the task. */
export function hasChange({ task_id: _taskId, name: _name, ...change }: CrontabTaskUpdate): boolean {
  return Object.values(change).some((value) => value !== undefined);
}
