// Cron patterns in the grammar of robfig/cron v3 with seconds, checked and brought into one spelling.
import { type CronField, type FieldRule, parseCronField } from './cron-field.ts';

/** Fields that tell one kind of schedule from another. */
export type UnitField = 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'weekday';

export type CronPattern = {
  /** Six fields, seconds first, of numbers, lists, ranges, steps and `*`. */
  text: string;
  /** The fields that leave some value out; days with a `*` in their list leave none out. */
  restricted: ReadonlySet<UnitField>;
  /** False where no month has the days, such as 30 February. */
  hasTimes: boolean;
};

export type ParsedCronPattern = { ok: true; pattern: CronPattern } | { ok: false; reason: string };

const rules = {
  second: { name: 'second', min: 0, max: 59, names: [] },
  minute: { name: 'minute', min: 0, max: 59, names: [] },
  hour: { name: 'hour', min: 0, max: 23, names: [] },
  dayOfMonth: { name: 'day of month', min: 1, max: 31, names: [] },
  month: {
    name: 'month',
    min: 1,
    max: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
  },
  // No 7 for Sunday, as in the Go library.
  weekday: { name: 'weekday', min: 0, max: 6, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] },
} satisfies Record<'second' | UnitField, FieldRule>;

const descriptors = new Map([
  ['@yearly', '0 0 0 1 1 *'],
  ['@annually', '0 0 0 1 1 *'],
  ['@monthly', '0 0 0 1 * *'],
  ['@weekly', '0 0 0 * * 0'],
  ['@daily', '0 0 0 * * *'],
  ['@midnight', '0 0 0 * * *'],
  ['@hourly', '0 0 * * * *'],
]);

const daysOfMonths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * Reads six fields (second, minute, hour, day of month, month, weekday), five (the weekday left out) or a descriptor
 * such as `@daily`; the reason of a refusal names the field and the part.
 */
export function parseCronPattern(text: string): ParsedCronPattern {
  const words = expandDescriptor(text).split(/\s+/);
  if (words[0]?.startsWith('@')) {
    const known = [...descriptors.keys()].join(', ');
    return refuse(`${words[0]} is not known, expected one of ${known} or "@every 1h30m"`);
  }
  if (words.length !== 5 && words.length !== 6) {
    const count = text === '' ? 'none' : words.length;
    return refuse(
      `expected a timestamp or 6 fields (second minute hour day-of-month month weekday; the weekday may be left out), got ${count}`,
    );
  }
  const [secondText = '', minuteText = '', hourText = '', dayText = '', monthText = '', weekdayText = '*'] =
    words;
  const second = parseCronField(secondText, rules.second);
  if (!second.ok) return second;
  const minute = parseCronField(minuteText, rules.minute);
  if (!minute.ok) return minute;
  const hour = parseCronField(hourText, rules.hour);
  if (!hour.ok) return hour;
  const dayOfMonth = parseCronField(dayText, rules.dayOfMonth);
  if (!dayOfMonth.ok) return dayOfMonth;
  const month = parseCronField(monthText, rules.month);
  if (!month.ok) return month;
  const weekday = parseCronField(weekdayText, rules.weekday);
  if (!weekday.ok) return weekday;

  const clock = [
    formatClockField(second.field, rules.second),
    formatClockField(minute.field, rules.minute),
    formatClockField(hour.field, rules.hour),
  ];
  const restricted = new Set<UnitField>();
  if (!isFull(minute.field, rules.minute)) restricted.add('minute');
  if (!isFull(hour.field, rules.hour)) restricted.add('hour');
  if (!isFull(month.field, rules.month)) restricted.add('month');
  if (!isFull(dayOfMonth.field, rules.dayOfMonth)) restricted.add('dayOfMonth');
  if (!isFull(weekday.field, rules.weekday)) restricted.add('weekday');
  return {
    ok: true,
    pattern: {
      text: [...clock, dayOfMonth.field.text, month.field.text, weekday.field.text].join(' '),
      restricted,
      // Beside a weekday that is no star the days of the month are an alternative, not a condition.
      hasTimes: !weekday.field.isStar || hasSomeDay(dayOfMonth.field, month.field),
    },
  };
}

function expandDescriptor(text: string): string {
  return descriptors.get(text) ?? text;
}

/**
 * A list of every hour is hourly, and keeps the rhythm of one at a change of the clocks. Days are left as they are:
 * there a star decides whether both the day of the month and the weekday have to match, or one of them.
 */
function formatClockField(field: CronField, rule: FieldRule): string {
  return isFull(field, rule) ? '*' : field.text;
}

function isFull({ values }: CronField, { min, max }: FieldRule): boolean {
  return values.size === max - min + 1;
}

function hasSomeDay(dayOfMonth: CronField, month: CronField): boolean {
  const firstDay = Math.min(...dayOfMonth.values);
  return [...month.values].some((value) => firstDay <= (daysOfMonths[value - 1] ?? 0));
}

function refuse(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}
