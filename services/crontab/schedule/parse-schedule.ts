// From the type, the start time and the time zone of a task to the times at which it fires.
import { crontabTypes } from '../../../contracts/crontab.ts';
import type { CronPattern } from './cron-pattern.ts';
import { type FireTimes, timeOnce, timesEvery, timesFrom } from './fire-times.ts';
import { timesOfPattern } from './pattern-times.ts';
import { parseStartTime, type StartTime } from './start-time.ts';
import { type UnitType, unitTypes } from './unit-types.ts';
import { readWallClock } from './wall-clock.ts';

export type { FireTimes } from './fire-times.ts';

export type ScheduleSpec = {
  /** 1 single, 2 interval, 3 hourly, 4 daily, 5 monthly, 6 yearly, 7 weekly. */
  type: number;
  /** A timestamp in seconds or milliseconds (a number or digits), cron fields, a descriptor, or `@every` and a duration. */
  start_time: number | string;
  /** IANA name. */
  time_zone: string;
  /**
   * When the schedule was stored: `@every` counts from then, and the one time of type 1 with cron fields is the first
   * match after it.
   */
  anchorMs: number;
};

export type ParsedSchedule =
  | { ok: true; times: FireTimes }
  | { ok: false; field: 'type' | 'start_time' | 'time_zone'; reason: string };

/**
 * The fire times of a task. A start time that says something, but not what its type asks for, is a fault of `type`. One
 * that never comes, such as 30 February, is no fault: its times are none.
 */
export function parseSchedule({ type, start_time, time_zone, anchorMs }: ScheduleSpec): ParsedSchedule {
  const unitType = unitTypes.get(type);
  const isKnown = unitType !== undefined || type === crontabTypes.single || type === crontabTypes.interval;
  if (!isKnown) return refuseType(`type ${type} is not known, expected one from 1 to 7`);
  const parsed = parseStartTime(start_time, time_zone);
  if (!parsed.ok) return parsed;
  const { startTime, timeZone } = parsed;
  if (unitType !== undefined) return scheduleUnit(type, unitType, startTime, timeZone, anchorMs);
  if (type === crontabTypes.single) return scheduleOnce(startTime, timeZone, anchorMs);
  return scheduleInterval(startTime, timeZone, anchorMs);
}

function scheduleOnce(startTime: StartTime, timeZone: string, anchorMs: number): ParsedSchedule {
  switch (startTime.kind) {
    case 'moment':
      return accept(timeOnce(startTime.atMs));
    case 'pattern':
      return accept(timeOnce(timesOfPattern(startTime.pattern, timeZone).after(anchorMs)));
    case 'every':
      return refuseType('type 1 (single) takes a timestamp or cron fields, not @every');
  }
}

function scheduleInterval(startTime: StartTime, timeZone: string, anchorMs: number): ParsedSchedule {
  switch (startTime.kind) {
    case 'moment':
      return refuseType(
        'type 2 (interval) takes @every, such as "@every 30s", or cron fields: a timestamp has no interval',
      );
    case 'pattern':
      return accept(timesOfPattern(startTime.pattern, timeZone));
    case 'every':
      return accept(timesEvery(startTime.intervalMs, anchorMs));
  }
}

function scheduleUnit(
  type: number,
  unitType: UnitType,
  startTime: StartTime,
  timeZone: string,
  anchorMs: number,
): ParsedSchedule {
  const called = `type ${type} (${unitType.name})`;
  switch (startTime.kind) {
    case 'moment': {
      const { atMs } = startTime;
      const text = unitType.patternOf(readWallClock(atMs, timeZone));
      return accept(timesFrom(atMs, timesOfPattern({ text, hasTimes: true }, timeZone)));
    }
    case 'pattern': {
      if (!hasUnit(startTime.pattern, unitType)) return refuseType(`${called} needs ${unitType.advice}`);
      return accept(timesOfPattern(startTime.pattern, timeZone));
    }
    case 'every': {
      const { unit } = unitType;
      if (unit === undefined) return refuseType(`${called} takes no @every: its units differ in length`);
      if (startTime.intervalMs % unit.ms !== 0) {
        return refuseType(
          `${called} takes @every in whole multiples of ${unit.text} only; type 2 (interval) takes any`,
        );
      }
      return accept(timesEvery(startTime.intervalMs, anchorMs));
    }
  }
}

function hasUnit({ restricted }: CronPattern, { needs }: UnitType): boolean {
  return needs.every((field) => restricted.has(field));
}

function accept(times: FireTimes): ParsedSchedule {
  return { ok: true, times };
}

function refuseType(reason: string): ParsedSchedule {
  return { ok: false, field: 'type', reason };
}
