// The start times that callers give: timestamps, intervals, patterns and their zones.
import { describe, expect, test } from 'vitest';
import { parseStartTime } from '../../../../services/crontab/schedule/start-time.ts';

const zone = 'Asia/Shanghai';

describe('a timestamp', () => {
  test.each<[number | string, number]>([
    [0, 0],
    [1_790_812_800, 1_790_812_800_000],
    ['1790812800', 1_790_812_800_000],
    [' 1790812800 ', 1_790_812_800_000],
    [1_790_812_800_000, 1_790_812_800_000],
    ['1790812800000', 1_790_812_800_000],
    // Whole seconds, and none before the moment that was asked for.
    [1_790_812_800_001, 1_790_812_801_000],
    [99_999_999_999, 99_999_999_999_000],
    [100_000_000_000, 100_000_000_000],
    [253_402_300_799_000, 253_402_300_799_000],
  ])('of %j is the moment %d', (given, atMs) => {
    expect(parseStartTime(given, zone)).toEqual({
      ok: true,
      startTime: { kind: 'moment', atMs },
      timeZone: zone,
    });
  });

  test.each<[number | string, string]>([
    [-1, 'timestamp -1 is not a whole number of seconds or milliseconds since 1970'],
    ['-1790812800', 'timestamp -1790812800 is not a whole number of seconds or milliseconds since 1970'],
    [1.5, 'timestamp 1.5 is not a whole number of seconds or milliseconds since 1970'],
    ['1790812800.5', 'timestamp 1790812800.5 is not a whole number of seconds or milliseconds since 1970'],
    [Number.NaN, 'timestamp NaN is not a whole number of seconds or milliseconds since 1970'],
    [Infinity, 'timestamp Infinity is not a whole number of seconds or milliseconds since 1970'],
    [253_402_300_799_001, 'timestamp 253402300799001 is after the year 9999'],
    [1e300, 'timestamp 1e+300 is after the year 9999'],
    ['99999999999999999999', 'timestamp 100000000000000000000 is after the year 9999'],
  ])('of %j is refused', (given, reason) => {
    expect(parseStartTime(given, zone)).toEqual({ ok: false, field: 'start_time', reason });
  });
});

describe('@every', () => {
  test.each([
    ['@every 5m', 300_000],
    ['@every 1h30m', 5_400_000],
    ['@every 1.5h', 5_400_000],
    // As the Go library rounds: down, but not below a second.
    ['@every 15m0.00000005s', 900_000],
    ['@every 1.999s', 1000],
    ['@every 15ms', 1000],
    ['@every   90s', 90_000],
    ['TZ=Asia/Tokyo @every 1s', 1000],
    ['@every 2562047h47m16.854775807s', 9_223_372_036_000],
  ])('%s is an interval of %d ms', (given, intervalMs) => {
    expect(parseStartTime(given, zone)).toMatchObject({
      ok: true,
      startTime: { kind: 'every', intervalMs },
    });
  });

  test.each([
    ['@every', '@every has the duration "", expected one such as 30s, 1h30m or 1.5h'],
    ['@every Xm', '@every has the duration "Xm", expected one such as 30s, 1h30m or 1.5h'],
    ['@every 5', '@every has the duration "5", expected one such as 30s, 1h30m or 1.5h'],
    ['@every 1d', '@every has the duration "1d", expected one such as 30s, 1h30m or 1.5h'],
    ['@every 9999999h', '@every has the duration "9999999h", expected one such as 30s, 1h30m or 1.5h'],
    ['@every 0s', '@every 0s is not above 0'],
    ['@every -5m', '@every -5m is not above 0'],
  ])('%s is refused', (given, reason) => {
    expect(parseStartTime(given, zone)).toEqual({ ok: false, field: 'start_time', reason });
  });

  test.each(['@everyday', '@Every 5m'])('%s is not one', (given) => {
    expect(parseStartTime(given, zone)).toMatchObject({
      ok: false,
      reason: expect.stringContaining('is not known'),
    });
  });
});

describe('a time zone', () => {
  test.each([
    ['0 5 * * * *', 'Asia/Shanghai'],
    ['CRON_TZ=UTC  0 5 * * * *', 'UTC'],
    ['TZ=Asia/Tokyo 0 5 * * * *', 'Asia/Tokyo'],
    [' TZ=america/new_york @midnight', 'America/New_York'],
    ['TZ=Europe/London 1790812800', 'Europe/London'],
  ])('of %s is %s', (given, timeZone) => {
    expect(parseStartTime(given, zone)).toMatchObject({ ok: true, timeZone });
  });

  test.each(['', 'Local', 'Mars/Olympus', 'Asia/Shang hai'])('"%s" is refused', (name) => {
    expect(parseStartTime('@daily', name)).toEqual({
      ok: false,
      field: 'time_zone',
      reason: `time zone "${name}" is not in the IANA database, expected a name such as Asia/Shanghai`,
    });
  });

  test.each([
    ['TZ=Mars/Olympus @daily', 'Mars/Olympus'],
    ['TZ= 0 0 0 * * *', ''],
    ['CRON_TZ=Local 0 0 0 * * *', 'Local'],
  ])('of %s is refused', (given, name) => {
    expect(parseStartTime(given, zone)).toEqual({
      ok: false,
      field: 'start_time',
      reason: `time zone "${name}" is not in the IANA database, expected a name such as Asia/Shanghai`,
    });
  });

  test('with nothing behind it is refused', () => {
    expect(parseStartTime('TZ=UTC', zone)).toMatchObject({ ok: false, field: 'start_time' });
  });
});
