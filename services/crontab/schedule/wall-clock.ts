// What the clocks and calendars of a time zone show at a moment.
import { offsetAt } from '../../../infra/schedule/time-zone.ts';

export type WallClock = {
  year: number;
  /** 1 to 12. */
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  /** 0 is Sunday. */
  weekday: number;
};

/** The wall clock of a time zone at milliseconds since the epoch. */
export function readWallClock(atMs: number, timeZone: string): WallClock {
  const local = new Date(atMs + offsetAt(atMs, timeZone));
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth() + 1,
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    weekday: local.getUTCDay(),
  };
}
