// The next times of a schedule, told to people.
import { describe, expect, test } from 'vitest';
import { timeOnce, timesEvery } from '../../../../services/crontab/schedule/fire-times.ts';
import { formatInZone, previewTimes } from '../../../../services/crontab/schedule/preview.ts';

describe('previewTimes', () => {
  test('lists as many times as asked for, after the moment given', () => {
    expect(previewTimes(timesEvery(5000, 0), { fromMs: 5000, count: 3 })).toEqual([10_000, 15_000, 20_000]);
  });

  test('lists fewer when no more come', () => {
    expect(previewTimes(timeOnce(5000), { fromMs: 0, count: 3 })).toEqual([5000]);
    expect(previewTimes(timeOnce(5000), { fromMs: 5000, count: 3 })).toEqual([]);
    expect(previewTimes(timeOnce(Infinity), { fromMs: 0, count: 3 })).toEqual([]);
  });

  test('lists nothing when nothing is asked for', () => {
    expect(previewTimes(timesEvery(5000, 0), { fromMs: 0, count: 0 })).toEqual([]);
  });
});

describe('formatInZone', () => {
  test.each([
    ['2026-11-22T07:04:05Z', 'Asia/Shanghai', '2026-11-22T15:04:05+08:00'],
    ['2026-11-22T07:04:05.999Z', 'asia/shanghai', '2026-11-22T15:04:05+08:00'],
    ['2026-11-22T07:04:05Z', 'UTC', '2026-11-22T07:04:05+00:00'],
    ['2026-07-01T00:00:00Z', 'Europe/London', '2026-07-01T01:00:00+01:00'],
    ['2026-01-01T00:00:00Z', 'America/St_Johns', '2025-12-31T20:30:00-03:30'],
    ['2026-01-01T00:00:00Z', 'Asia/Kathmandu', '2026-01-01T05:45:00+05:45'],
    ['2026-11-01T05:30:00Z', 'America/New_York', '2026-11-01T01:30:00-04:00'],
    ['2026-11-01T06:30:00Z', 'America/New_York', '2026-11-01T01:30:00-05:00'],
    ['1900-01-01T00:00:00Z', 'Asia/Shanghai', '1900-01-01T08:05:00+08:05'],
  ])('shows %s in %s as %s', (at, zone, text) => {
    expect(formatInZone(Date.parse(at), zone)).toBe(text);
    expect(Math.floor(Date.parse(at) / 1000) * 1000).toBe(Date.parse(text));
  });

  test('refuses a zone that is not known', () => {
    expect(() => formatInZone(0, 'Mars/Olympus')).toThrow(RangeError);
  });
});
