// Whether a task as a whole can be stored: its fields fit each other, and it has a time that is still to come.
import type { Fault } from '../../../contracts/errors.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import { findCallbackFault, targetOf } from '../callback/check-callback.ts';
import { type FireTimes, parseSchedule } from '../schedule/parse-schedule.ts';
import { faultOf, type ItemFault } from './item-result.ts';
import type { TaskDefinition } from './task-definition.ts';

export type CheckedTask =
  | { times: FireTimes; target: string; fault: undefined }
  | { times: undefined; fault: ItemFault };

/** `anchorMs`: when the schedule was stored. `target`: calls of one target share room. */
export function checkTask(task: TaskDefinition, anchorMs: number, networks: NetworkPolicy): CheckedTask {
  const { method, url, body, body_type: bodyType, resp_regexp: respRegexp } = task;
  const schedule = parseSchedule({ ...task, anchorMs });
  const callbackFault = findCallbackFault({ method, url, body, bodyType, respRegexp }, networks);
  const faults: Fault[] = [];
  if (!schedule.ok) faults.push({ path: schedule.field, reason: schedule.reason });
  if (callbackFault !== undefined) faults.push({ path: callbackFault.field, reason: callbackFault.reason });
  if (!schedule.ok || faults.length > 0) return { times: undefined, fault: faultOf(faults) };
  return { times: schedule.times, target: targetOf({ method, url }), fault: undefined };
}

/** A timestamp of just now is not yet too late: it takes a while until a request is here. */
const graceMs = 60_000;

/**
 * The first time to plan from `nowMs` on, after `lastMs` where times up to that one have been planned already; the fault
 * of a `start_time` that has none.
 */
export function findNextTime(
  times: FireTimes,
  nowMs: number,
  lastMs = -Infinity,
): { nextMs: number; fault: undefined } | { nextMs: undefined; fault: ItemFault } {
  const nextMs = times.after(Math.max(times.isOnce ? nowMs - graceMs : nowMs, lastMs));
  if (nextMs !== Infinity) return { nextMs, fault: undefined };
  const reason = times.newestUntil(nowMs) === -Infinity ? 'such a time never comes' : 'lies in the past';
  return { nextMs: undefined, fault: faultOf([{ path: 'start_time', reason }]) };
}

/** A schedule is anchored on a whole second, as its times are. */
export function anchorAt(nowMs: number): number {
  return Math.floor(nowMs / 1000) * 1000;
}
