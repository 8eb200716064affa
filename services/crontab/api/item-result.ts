// What a reply says of one item, and what is wrong with an item.
import {
  type CrontabItemResult,
  type CrontabState,
  type CrontabTaskKey,
  crontabStates,
} from '../../../contracts/crontab.ts';
import type { Fault } from '../../../contracts/errors.ts';

/** `err` is the reason in words, `state` the code that fits it. */
export type ItemFault = Pick<CrontabItemResult, 'state' | 'err'>;
export type ItemKey = Pick<CrontabItemResult, 'task_id' | 'name'>;

export function succeeded({ task_id, name }: ItemKey): CrontabItemResult {
  return { task_id, name, err: '', state: crontabStates.ok };
}

export function refused({ task_id, name }: ItemKey, { err, state }: ItemFault): CrontabItemResult {
  return { task_id, name, err, state };
}

const stateOfField = new Map<string, CrontabState>([
  ['type', crontabStates.type],
  ['start_time', crontabStates.startTime],
  ['time_zone', crontabStates.startTime],
  ['url', crontabStates.callback],
  ['method', crontabStates.callback],
  ['body', crontabStates.callback],
  ['body_type', crontabStates.callback],
  ['resp_regexp', crontabStates.callback],
  ['redo_param', crontabStates.callback],
  ['timeout', crontabStates.callback],
  ['secret', crontabStates.callback],
  ['task_id', crontabStates.key],
  ['name', crontabStates.key],
  ['new_name', crontabStates.key],
]);

const maxFaults = 5;
const maxReasonLength = 300;

/** The first five faults as `field: reason`; the code is that of the first. */
export function faultOf(faults: readonly Fault[]): ItemFault {
  const [field = ''] = faults[0]?.path.split('.') ?? [];
  const texts = faults.slice(0, maxFaults).map(({ path, reason }) => `${path || 'task'}: ${cut(reason)}`);
  const more = faults.length - texts.length;
  return {
    state: stateOfField.get(field) ?? crontabStates.parameter,
    err: texts.join('; ') + (more > 0 ? `; and ${more} more` : ''),
  };
}

/** A reason may quote what was given. */
function cut(reason: string): string {
  return reason.length > maxReasonLength ? `${reason.slice(0, maxReasonLength)}…` : reason;
}

/** The fault of an item that names a task which is not there. */
export function noSuchTask({ task_id, name }: CrontabTaskKey): ItemFault {
  if (task_id !== undefined) return faultOf([{ path: 'task_id', reason: `there is no task ${task_id}` }]);
  if (name !== undefined) return faultOf([{ path: 'name', reason: 'there is no task of this name' }]);
  return faultOf([{ path: 'task_id', reason: 'expected a task_id or a name' }]);
}

export const nameTaken = faultOf([{ path: 'name', reason: 'another task has this name' }]);
