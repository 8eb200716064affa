// The types of task that fire in a unit of the calendar: every hour, every day and so on.
import { crontabTypes } from '../../../contracts/crontab.ts';
import type { UnitField } from './cron-pattern.ts';
import type { WallClock } from './wall-clock.ts';

/** A type of task that fires in a unit of the calendar. */
export type UnitType = {
  name: string;
  /** Fields that a pattern of this type has to restrict. */
  needs: readonly UnitField[];
  /** What a pattern without them is told. */
  advice: string;
  /** `@every` has to be a multiple of it, where the unit has one length. */
  unit?: { text: string; ms: number };
  /** The cron pattern that repeats a moment: the same place in every unit. */
  patternOf(clock: WallClock): string;
};

const hourMs = 3600_000;

/** Types 3 to 7. */
export const unitTypes = new Map<number, UnitType>([
  [
    crontabTypes.hourly,
    {
      name: 'hourly',
      needs: ['minute'],
      advice: 'a minute, such as "0 30 * * * *"',
      unit: { text: '1h', ms: hourMs },
      patternOf: ({ second, minute }) => `${second} ${minute} * * * *`,
    },
  ],
  [
    crontabTypes.daily,
    {
      name: 'daily',
      needs: ['hour'],
      advice: 'an hour, such as "0 30 8 * * *"',
      unit: { text: '24h', ms: 24 * hourMs },
      patternOf: ({ second, minute, hour }) => `${second} ${minute} ${hour} * * *`,
    },
  ],
  [
    crontabTypes.monthly,
    {
      name: 'monthly',
      needs: ['dayOfMonth'],
      advice: 'a day of the month, such as "0 30 8 1 * *"',
      patternOf: ({ second, minute, hour, day }) => `${second} ${minute} ${hour} ${day} * *`,
    },
  ],
  [
    crontabTypes.yearly,
    {
      name: 'yearly',
      needs: ['dayOfMonth', 'month'],
      advice: 'a month and a day of the month, such as "0 30 8 1 JAN *"',
      patternOf: ({ second, minute, hour, day, month }) => `${second} ${minute} ${hour} ${day} ${month} *`,
    },
  ],
  [
    crontabTypes.weekly,
    {
      name: 'weekly',
      needs: ['weekday'],
      advice: 'a weekday, such as "0 30 8 * * MON"',
      unit: { text: '168h', ms: 168 * hourMs },
      patternOf: ({ second, minute, hour, weekday }) => `${second} ${minute} ${hour} * * ${weekday}`,
    },
  ],
]);
