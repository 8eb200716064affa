// The seven types of tasks: which start times they take, and when they fire.
import { describe, expect, test } from 'vitest';
import { parseSchedule } from '../../../../services/crontab/schedule/parse-schedule.ts';
import { formatInZone, previewTimes } from '../../../../services/crontab/schedule/preview.ts';

const zone = 'Asia/Shanghai';
/** A Sunday, at noon in China. */
const anchorMs = Date.parse('2026-11-22T12:00:00.250+08:00');

function timesOf(type: number, start_time: number | string, time_zone = zone) {
  const parsed = parseSchedule({ type, start_time, time_zone, anchorMs });
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.times;
}

/** The next three times from the anchor on, as the clocks of the zone show them. */
function next(type: number, start_time: number | string, time_zone = zone): string[] {
  const times = previewTimes(timesOf(type, start_time, time_zone), { fromMs: anchorMs, count: 3 });
  return times.map((atMs) => formatInZone(atMs, time_zone).slice(0, 19));
}

function fault(type: number, start_time: number | string, time_zone = zone) {
  const parsed = parseSchedule({ type, start_time, time_zone, anchorMs });
  return parsed.ok ? undefined : [parsed.field, parsed.reason];
}

const moment = Date.parse('2026-11-24T08:30:15+08:00') / 1000;
const past = Date.parse('2020-02-29T08:30:15+08:00') / 1000;

describe('a single task', () => {
  test.each<[number | string, string[]]>([
    [moment, ['2026-11-24T08:30:15']],
    [String(moment), ['2026-11-24T08:30:15']],
    [moment * 1000, ['2026-11-24T08:30:15']],
    ['0 0 9 * * *', ['2026-11-23T09:00:00']],
    ['@monthly', ['2026-12-01T00:00:00']],
    [past, []],
    ['0 0 0 30 2 *', []],
  ])('with %j fires at %j', (startTime, expected) => {
    expect(next(1, startTime)).toEqual(expected);
    expect(timesOf(1, startTime).isOnce).toBe(true);
  });

  test('has its time behind it from then on', () => {
    const times = timesOf(1, moment);
    expect(times.after(moment * 1000 - 1)).toBe(moment * 1000);
    expect(times.after(moment * 1000)).toBe(Infinity);
    expect(times.newestUntil(moment * 1000 - 1)).toBe(-Infinity);
    expect(times.newestUntil(moment * 1000)).toBe(moment * 1000);
    expect(times.newestUntil(moment * 1000 + 1e9)).toBe(moment * 1000);
  });

  test('that never comes has no time at all', () => {
    const times = timesOf(1, '0 0 0 30 2 *');
    expect([times.after(0), times.newestUntil(Date.now())]).toEqual([Infinity, -Infinity]);
  });

  test('takes no interval', () => {
    expect(fault(1, '@every 1h')).toEqual([
      'type',
      'type 1 (single) takes a timestamp or cron fields, not @every',
    ]);
  });
});

describe('an interval task', () => {
  test.each<[string, string[]]>([
    ['@every 90m', ['2026-11-22T13:30:00', '2026-11-22T15:00:00', '2026-11-22T16:30:00']],
    ['@every 1s', ['2026-11-22T12:00:01', '2026-11-22T12:00:02', '2026-11-22T12:00:03']],
    ['*/20 * * * * *', ['2026-11-22T12:00:20', '2026-11-22T12:00:40', '2026-11-22T12:01:00']],
    ['@daily', ['2026-11-23T00:00:00', '2026-11-24T00:00:00', '2026-11-25T00:00:00']],
    ['0 0 0 30 2 *', []],
  ])('with %s fires at %j', (startTime, expected) => {
    expect(next(2, startTime)).toEqual(expected);
    expect(timesOf(2, startTime).isOnce).toBe(false);
  });

  test('has no time before the first interval is over', () => {
    const times = timesOf(2, '@every 1h');
    const storedMs = anchorMs - 250;
    expect(times.after(0)).toBe(storedMs + 3600_000);
    expect(times.newestUntil(storedMs + 3600_000 - 1)).toBe(-Infinity);
    expect(times.newestUntil(storedMs + 3600_000)).toBe(storedMs + 3600_000);
    expect(times.newestUntil(storedMs + 9000_000)).toBe(storedMs + 7200_000);
    expect(times.after(storedMs + 7200_000)).toBe(storedMs + 10_800_000);
  });

  test('takes no timestamp', () => {
    const reason =
      'type 2 (interval) takes @every, such as "@every 30s", or cron fields: a timestamp has no interval';
    expect(fault(2, moment)).toEqual(['type', reason]);
    expect(fault(2, String(moment))).toEqual(['type', reason]);
  });
});

describe('a task of a unit of the calendar', () => {
  test.each<[number, number | string, string[]]>([
    [3, '0 30 * * * *', ['2026-11-22T12:30:00', '2026-11-22T13:30:00', '2026-11-22T14:30:00']],
    [3, '@hourly', ['2026-11-22T13:00:00', '2026-11-22T14:00:00', '2026-11-22T15:00:00']],
    [3, '@every 2h', ['2026-11-22T14:00:00', '2026-11-22T16:00:00', '2026-11-22T18:00:00']],
    [4, '0 30 8 * * *', ['2026-11-23T08:30:00', '2026-11-24T08:30:00', '2026-11-25T08:30:00']],
    [4, '0 0 */12 * *', ['2026-11-23T00:00:00', '2026-11-23T12:00:00', '2026-11-24T00:00:00']],
    [4, '@midnight', ['2026-11-23T00:00:00', '2026-11-24T00:00:00', '2026-11-25T00:00:00']],
    [4, '@every 48h', ['2026-11-24T12:00:00', '2026-11-26T12:00:00', '2026-11-28T12:00:00']],
    [5, '0 0 0 31 * *', ['2026-12-31T00:00:00', '2027-01-31T00:00:00', '2027-03-31T00:00:00']],
    [5, '@monthly', ['2026-12-01T00:00:00', '2027-01-01T00:00:00', '2027-02-01T00:00:00']],
    [6, '0 0 0 29 2 *', ['2028-02-29T00:00:00', '2032-02-29T00:00:00', '2036-02-29T00:00:00']],
    [6, '@yearly', ['2027-01-01T00:00:00', '2028-01-01T00:00:00', '2029-01-01T00:00:00']],
    [7, '0 0 9 * * MON,THU', ['2026-11-23T09:00:00', '2026-11-26T09:00:00', '2026-11-30T09:00:00']],
    [7, '@weekly', ['2026-11-29T00:00:00', '2026-12-06T00:00:00', '2026-12-13T00:00:00']],
    [7, '@every 168h', ['2026-11-29T12:00:00', '2026-12-06T12:00:00', '2026-12-13T12:00:00']],
    // From the moment of a timestamp on, at its place in every unit.
    [3, moment, ['2026-11-24T08:30:15', '2026-11-24T09:30:15', '2026-11-24T10:30:15']],
    [4, moment, ['2026-11-24T08:30:15', '2026-11-25T08:30:15', '2026-11-26T08:30:15']],
    [5, moment, ['2026-11-24T08:30:15', '2026-12-24T08:30:15', '2027-01-24T08:30:15']],
    [6, moment, ['2026-11-24T08:30:15', '2027-11-24T08:30:15', '2028-11-24T08:30:15']],
    [7, String(moment), ['2026-11-24T08:30:15', '2026-12-01T08:30:15', '2026-12-08T08:30:15']],
    // A moment of a Saturday in a leap year.
    [3, past, ['2026-11-22T12:30:15', '2026-11-22T13:30:15', '2026-11-22T14:30:15']],
    [4, past * 1000, ['2026-11-23T08:30:15', '2026-11-24T08:30:15', '2026-11-25T08:30:15']],
    [5, past, ['2026-11-29T08:30:15', '2026-12-29T08:30:15', '2027-01-29T08:30:15']],
    [6, past, ['2028-02-29T08:30:15', '2032-02-29T08:30:15', '2036-02-29T08:30:15']],
    [7, past, ['2026-11-28T08:30:15', '2026-12-05T08:30:15', '2026-12-12T08:30:15']],
  ])('of type %d with %j fires at %j', (type, startTime, expected) => {
    expect(next(type, startTime)).toEqual(expected);
    expect(timesOf(type, startTime).isOnce).toBe(false);
  });

  test('repeats a timestamp by the clocks of its zone', () => {
    const at = Date.parse('2026-11-22T12:30:00Z') / 1000;
    expect(next(4, at, 'America/New_York')).toEqual([
      '2026-11-22T07:30:00',
      '2026-11-23T07:30:00',
      '2026-11-24T07:30:00',
    ]);
    expect(next(4, `TZ=Asia/Kolkata ${at}`, 'UTC')[1]).toBe('2026-11-23T12:30:00');
  });

  test('begins with its timestamp even where that is the second of two like moments', () => {
    const second = Date.parse('2027-11-07T01:30:00-05:00');
    const times = timesOf(4, second, 'America/New_York');
    expect(times.after(anchorMs)).toBe(second);
    expect(times.newestUntil(second - 1)).toBe(-Infinity);
    expect(times.newestUntil(second + 1)).toBe(second);
    expect(times.after(second)).toBe(Date.parse('2027-11-08T01:30:00-05:00'));
    expect(times.newestUntil(times.after(second))).toBe(times.after(second));
  });

  test.each<[number, string, string]>([
    [3, '* * * * * *', 'type 3 (hourly) needs a minute, such as "0 30 * * * *"'],
    [3, '0 */1 * * * *', 'type 3 (hourly) needs a minute, such as "0 30 * * * *"'],
    [4, '@hourly', 'type 4 (daily) needs an hour, such as "0 30 8 * * *"'],
    [4, '0 30 0-23 * * *', 'type 4 (daily) needs an hour, such as "0 30 8 * * *"'],
    [5, '@daily', 'type 5 (monthly) needs a day of the month, such as "0 30 8 1 * *"'],
    [5, '0 0 0 *,5 * *', 'type 5 (monthly) needs a day of the month, such as "0 30 8 1 * *"'],
    [6, '@monthly', 'type 6 (yearly) needs a month and a day of the month, such as "0 30 8 1 JAN *"'],
    [6, '0 0 0 * 5 *', 'type 6 (yearly) needs a month and a day of the month, such as "0 30 8 1 JAN *"'],
    [7, '@daily', 'type 7 (weekly) needs a weekday, such as "0 30 8 * * MON"'],
    [7, '0 30 8 1 1', 'type 7 (weekly) needs a weekday, such as "0 30 8 * * MON"'],
    [
      3,
      '@every 90m',
      'type 3 (hourly) takes @every in whole multiples of 1h only; type 2 (interval) takes any',
    ],
    [
      4,
      '@every 36h',
      'type 4 (daily) takes @every in whole multiples of 24h only; type 2 (interval) takes any',
    ],
    [
      7,
      '@every 24h',
      'type 7 (weekly) takes @every in whole multiples of 168h only; type 2 (interval) takes any',
    ],
    [5, '@every 720h', 'type 5 (monthly) takes no @every: its units differ in length'],
    [6, '@every 8760h', 'type 6 (yearly) takes no @every: its units differ in length'],
  ])('of type %d with %s is refused', (type, startTime, reason) => {
    expect(fault(type, startTime)).toEqual(['type', reason]);
  });
});

describe('a schedule that is refused', () => {
  test.each([0, 8, -1, 1.5, Number.NaN])('for its type %d says so', (type) => {
    expect(fault(type, '@daily')).toEqual(['type', `type ${type} is not known, expected one from 1 to 7`]);
  });

  test.each([1, 2, 3, 4, 5, 6, 7])('of type %d names the field at fault', (type) => {
    expect(fault(type, '0 75 * * * *')).toEqual(['start_time', 'minute 75 is above 59']);
    expect(fault(type, -5)?.[0]).toBe('start_time');
    expect(fault(type, '@daily', 'Mars/Olympus')?.[0]).toBe('time_zone');
    expect(fault(type, 'TZ=Mars/Olympus @daily')?.[0]).toBe('start_time');
  });
});
