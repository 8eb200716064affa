// When patterns fire: where the clocks change, where nothing ever comes, and both ways in time.
import { describe, expect, test } from 'vitest';
import { parseCronPattern } from '../../../../services/crontab/schedule/cron-pattern.ts';
import type { FireTimes } from '../../../../services/crontab/schedule/fire-times.ts';
import { timesOfPattern } from '../../../../services/crontab/schedule/pattern-times.ts';
import { formatInZone, previewTimes } from '../../../../services/crontab/schedule/preview.ts';
import { createSeededRandom } from '../../../helpers/seeded-random.ts';
import { createRandomSpec, timeZones } from './robfig/random-spec.ts';
import { findReferenceTime } from './robfig/reference-times.ts';
import { createZoneClock } from './robfig/zone-clock.ts';

function timesOf(text: string, timeZone: string): FireTimes {
  const parsed = parseCronPattern(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return timesOfPattern(parsed.pattern, timeZone);
}

const newYork = 'America/New_York';
const london = 'Europe/London';
const lordHowe = 'Australia/Lord_Howe';
const saoPaulo = 'America/Sao_Paulo';

describe('where the clocks change', () => {
  test.each<[string, string, string, string, string[]]>([
    // In New York 02:00 becomes 03:00 on 8 March 2026.
    [
      'a daily time in the gap fires once after it',
      newYork,
      '0 30 2 * * *',
      '2026-03-07T12:00-05:00',
      ['2026-03-08T03:00:00-04:00', '2026-03-09T02:30:00-04:00'],
    ],
    [
      'a monthly time in the gap fires once after it',
      newYork,
      '0 30 2 8 * *',
      '2026-03-07T12:00-05:00',
      ['2026-03-08T03:00:00-04:00', '2026-04-08T02:30:00-04:00'],
    ],
    [
      'several times of a list in the gap fire once after it',
      newYork,
      '0 10,20,30 2,3 * * *',
      '2026-03-07T12:00-05:00',
      ['2026-03-08T03:00:00-04:00', '2026-03-08T03:10:00-04:00', '2026-03-08T03:20:00-04:00'],
    ],
    [
      'a time in the gap and one right after it are one',
      newYork,
      '0 0 2-3 * * *',
      '2026-03-07T12:00-05:00',
      ['2026-03-08T03:00:00-04:00', '2026-03-09T02:00:00-04:00'],
    ],
    [
      'an hourly time keeps its rhythm over the gap',
      newYork,
      '0 0 * * * *',
      '2026-03-08T00:30-05:00',
      ['2026-03-08T01:00:00-05:00', '2026-03-08T03:00:00-04:00', '2026-03-08T04:00:00-04:00'],
    ],
    [
      'a time with steps leaves the gap out',
      newYork,
      '0 */30 2 * * *',
      '2026-03-07T12:00-05:00',
      ['2026-03-09T02:00:00-04:00', '2026-03-09T02:30:00-04:00'],
    ],
    [
      'every hour as a range is hourly',
      newYork,
      '0 0 0-23 * * *',
      '2026-03-08T00:30-05:00',
      ['2026-03-08T01:00:00-05:00', '2026-03-08T03:00:00-04:00', '2026-03-08T04:00:00-04:00'],
    ],
    // There 02:00 becomes 01:00 on 1 November 2026.
    [
      'a daily time in the hour that comes twice fires at the first',
      newYork,
      '0 30 1 * * *',
      '2026-10-31T12:00-04:00',
      ['2026-11-01T01:30:00-04:00', '2026-11-02T01:30:00-05:00'],
    ],
    [
      'asked for within the second of the two hours it has been',
      newYork,
      '0 30 1 * * *',
      '2026-11-01T01:10-05:00',
      ['2026-11-02T01:30:00-05:00'],
    ],
    [
      'an hourly time fires in both hours',
      newYork,
      '0 0 * * * *',
      '2026-11-01T00:30-04:00',
      ['2026-11-01T01:00:00-04:00', '2026-11-01T01:00:00-05:00', '2026-11-01T02:00:00-05:00'],
    ],
    [
      'every half hour fires in both hours',
      newYork,
      '0 */30 1 * * *',
      '2026-11-01T00:30-04:00',
      ['2026-11-01T01:00:00-04:00', '2026-11-01T01:30:00-04:00', '2026-11-01T01:00:00-05:00'],
    ],
    [
      'a daily time after the change is where the clocks show it',
      newYork,
      '0 0 2 * * *',
      '2026-11-01T00:30-04:00',
      ['2026-11-01T02:00:00-05:00', '2026-11-02T02:00:00-05:00'],
    ],
    // In London 01:00 becomes 02:00 on 29 March 2026, and 02:00 becomes 01:00 on 25 October.
    [
      'London: a gap',
      london,
      '15 30 1 * * SUN',
      '2026-03-28T12:00Z',
      ['2026-03-29T02:00:00+01:00', '2026-04-05T01:30:15+01:00'],
    ],
    [
      'London: an hour twice',
      london,
      '0 0 1 * * *',
      '2026-10-24T12:00Z',
      ['2026-10-25T01:00:00+01:00', '2026-10-26T01:00:00+00:00'],
    ],
    // On Lord Howe by half an hour: 02:00 becomes 02:30 on 4 October 2026, and 02:00 becomes 01:30 on 5 April.
    [
      'Lord Howe: a gap',
      lordHowe,
      '0 15 2 * * *',
      '2026-10-03T12:00+10:30',
      ['2026-10-04T02:30:00+11:00', '2026-10-05T02:15:00+11:00'],
    ],
    [
      'Lord Howe: half an hour twice',
      lordHowe,
      '0 0,45 1 * * *',
      '2026-04-05T00:30+11:00',
      ['2026-04-05T01:00:00+11:00', '2026-04-05T01:45:00+11:00', '2026-04-06T01:00:00+10:30'],
    ],
    // In São Paulo 00:00 became 01:00 on 4 November 2018, and 00:00 became 23:00 of the day before on 18 February.
    [
      'São Paulo: a midnight that is skipped fires at one',
      saoPaulo,
      '0 0 0 * * *',
      '2018-11-03T12:00-03:00',
      ['2018-11-04T01:00:00-02:00', '2018-11-05T00:00:00-02:00'],
    ],
    [
      'São Paulo: other days are where they were',
      saoPaulo,
      '0 0 9 10 * ?',
      '2018-10-17T06:00-03:00',
      ['2018-11-10T09:00:00-02:00'],
    ],
    [
      'São Paulo: an hour before midnight twice',
      saoPaulo,
      '0 30 23 * * *',
      '2018-02-17T12:00-02:00',
      ['2018-02-17T23:30:00-02:00', '2018-02-18T23:30:00-03:00'],
    ],
    [
      'China has no such changes',
      'Asia/Shanghai',
      '0 30 2 * * *',
      '2026-03-07T12:00+08:00',
      ['2026-03-08T02:30:00+08:00', '2026-03-09T02:30:00+08:00'],
    ],
  ])('%s', (_, zone, pattern, from, expected) => {
    const times = timesOf(pattern, zone);
    const found = previewTimes(times, { fromMs: Date.parse(from), count: expected.length });
    expect(found.map((atMs) => formatInZone(atMs, zone))).toEqual(expected);
  });
});

describe('a pattern that never fires', () => {
  test('is told at once, both ways', () => {
    const times = timesOf('0 0 0 30 2 *', newYork);
    const beganMs = performance.now();
    for (let round = 0; round < 1000; round += 1) {
      expect(times.after(Date.now())).toBe(Infinity);
      expect(times.newestUntil(Date.now())).toBe(-Infinity);
    }
    // Looking through the calendar would take seconds.
    expect(performance.now() - beganMs).toBeLessThan(500);
  });
});

describe('times asked for', () => {
  test('are whole seconds, whatever part of one was asked from', () => {
    const times = timesOf('* * * * * *', 'UTC');
    expect(times.after(1_790_812_800_000)).toBe(1_790_812_801_000);
    expect(times.after(1_790_812_800_999)).toBe(1_790_812_801_000);
    expect(times.newestUntil(1_790_812_800_000)).toBe(1_790_812_800_000);
    expect(times.newestUntil(1_790_812_800_999)).toBe(1_790_812_800_000);
    expect(times.newestUntil(1_790_812_799_999)).toBe(1_790_812_799_000);
  });

  test('end with the calendar instead of failing', () => {
    const times = timesOf('0 0 0 1 1 *', 'UTC');
    expect(times.after(Infinity)).toBe(Infinity);
    expect(times.newestUntil(-Infinity)).toBe(-Infinity);
    expect(times.after(-Infinity)).toBe(Date.UTC(1971, 0, 1));
  });

  test('are the same however many patterns were asked for in between', () => {
    const pattern = timesOf('0 30 8 * * 1', london);
    const fromMs = Date.parse('2026-11-22T00:00Z');
    const expected = previewTimes(pattern, { fromMs, count: 3 });
    for (let round = 0; round < 500; round += 1) {
      const times = timesOf(`${round % 60} ${round % 59} ${round % 23} * * *`, london);
      expect(times.newestUntil(times.after(fromMs))).toBe(times.after(fromMs));
    }
    expect(previewTimes(pattern, { fromMs, count: 3 })).toEqual(expected);
  });

  test('agree with plain search forward and backward around every change of the clocks', () => {
    const random = createSeededRandom(7);
    for (const timeZone of timeZones) {
      const clock = createZoneClock(timeZone);
      for (let round = 0; round < 60; round += 1) {
        const spec = { ...createRandomSpec(random), timeZone };
        const times = timesOf(spec.text.replace(/^\S+\s+/, ''), timeZone);
        const changeAt = clock.changes[random.below(12)]?.at ?? Date.UTC(2026, 10, 22) / 1000;
        const from = changeAt - 30 * 3600 + random.below(34 * 3600);
        const first = times.after(from * 1000);
        const second = times.after(first);
        expect([spec.text, first / 1000]).toEqual([spec.text, findReferenceTime(spec, clock, from)]);
        expect([spec.text, times.newestUntil(first)]).toEqual([spec.text, first]);
        expect([spec.text, times.newestUntil(second - 1)]).toEqual([spec.text, first]);
        expect(times.newestUntil(first - 1)).toBeLessThanOrEqual(from * 1000);
      }
    }
  });
});
