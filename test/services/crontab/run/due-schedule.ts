// Schedules as a turn finds them, and what it makes of them.
import type { DueSchedule, TimeChoice } from '../../../../services/crontab/run/choose-time.ts';
import { type FireTimes, parseSchedule } from '../../../../services/crontab/schedule/parse-schedule.ts';

export const secondMs = 1000;
export const minuteMs = 60 * secondMs;
export const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;
/** Noon in China. */
export const noon = Date.parse('2026-09-20T04:00:00Z');

export function timesOf(
  type: number,
  start_time: string | number,
  time_zone = 'Asia/Shanghai',
  anchorMs = noon,
): FireTimes {
  const parsed = parseSchedule({ type, start_time, time_zone, anchorMs });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.times;
}

const everyMinute = timesOf(2, '@every 1m');

/** Of every minute, stored at noon, called up to an hour late. */
export function due(fields: Partial<DueSchedule> = {}): DueSchedule {
  const { times = everyMinute, anchorAt = noon } = fields;
  return { times, anchorAt, nextAt: times.after(anchorAt), lastAt: null, windowMs: hourMs, ...fields };
}

/** What a turn stores. */
export function advance(schedule: DueSchedule, { scheduledAt, missed, nextAt }: TimeChoice): DueSchedule {
  return { ...schedule, nextAt, lastAt: scheduledAt ?? missed?.lastAt ?? schedule.lastAt };
}
