// What a caller defines of a task, as it is stored: what was given, over what is there or what is usual.
import type { Selectable } from 'kysely';
import { type CrontabTaskAdd, type CrontabTaskUpdate, crontabDefaults } from '../../../contracts/crontab.ts';
import type { Tables } from '../../../infra/database/tables.ts';

export const definitionColumns = [
  'name',
  'enable',
  'module',
  'type',
  'start_time',
  'time_zone',
  'url',
  'method',
  'resp_regexp',
  'body',
  'body_type',
  'redo_param',
  'tags',
  'timeout_ms',
  'overlap',
  'misfire',
  'misfire_window',
  'delivery',
  'secret',
] as const;
export type TaskDefinition = Pick<Selectable<Tables['crontab_task']>, (typeof definitionColumns)[number]>;

/** `timeZone`: the service's own, where none was given. */
export function defineTask(task: CrontabTaskAdd, timeZone: string): TaskDefinition {
  const { name, enable, module, type, start_time, url, method } = task;
  const { timeout, tags, ...usual } = crontabDefaults;
  const required = { name, enable, module, type, start_time: String(start_time), url, method };
  const defaults = { ...usual, tags: [...tags], timeout_ms: toMs(timeout), time_zone: timeZone };
  return changeOptional({ ...required, ...defaults }, task);
}

/** The definition after a change; a name stays what it is. */
export function changeTask(task: TaskDefinition, change: CrontabTaskUpdate): TaskDefinition {
  const { enable, module, type, start_time, url, method } = change;
  const changed = {
    ...task,
    enable: enable ?? task.enable,
    module: module ?? task.module,
    type: type ?? task.type,
    start_time: start_time === undefined ? task.start_time : String(start_time),
    url: url ?? task.url,
    method: method ?? task.method,
  };
  return changeOptional(changed, change);
}

function changeOptional(task: TaskDefinition, change: CrontabTaskAdd | CrontabTaskUpdate): TaskDefinition {
  return {
    ...task,
    time_zone: change.time_zone ?? task.time_zone,
    resp_regexp: change.resp_regexp ?? task.resp_regexp,
    body: change.body ?? task.body,
    body_type: change.body_type ?? task.body_type,
    redo_param: change.redo_param ?? task.redo_param,
    tags: change.tags === undefined ? task.tags : [...new Set(change.tags)],
    timeout_ms: change.timeout === undefined ? task.timeout_ms : toMs(change.timeout),
    overlap: change.overlap ?? task.overlap,
    misfire: change.misfire ?? task.misfire,
    misfire_window: change.misfire_window ?? task.misfire_window,
    delivery: change.delivery ?? task.delivery,
    secret: change.secret ?? task.secret,
  };
}

function toMs(seconds: number): number {
  return Math.round(seconds * 1000);
}
