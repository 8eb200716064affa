// Windows of tasks: what their texts mean, and that they hold over changes of the clocks.
import { describe, expect, test } from 'vitest';
import type { Task } from '../../../contracts/task.ts';
import { alwaysOpen, createTaskWindow } from '../../../services/scheduler/task-window.ts';
import { createSeededRandom } from '../../helpers/seeded-random.ts';

const china = 'Asia/Shanghai';
const berlin = 'Europe/Berlin';
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

type TaskTime = NonNullable<Task['task_time']>;

const ms = (text: string) => Date.parse(text);
const iso = (atMs: number) => (Number.isFinite(atMs) ? new Date(atMs).toISOString() : String(atMs));

/** The next opening from a moment on, and how many minutes it lasts. */
function nextOpening(taskTime: TaskTime, zone: string, from: string): [string, number] | 'never' {
  const window = createTaskWindow(taskTime, zone);
  const openMs = window.openFrom(ms(from));
  if (openMs === Infinity) return 'never';
  return [iso(openMs).replace(':00.000Z', 'Z'), window.openFor(openMs) / minuteMs];
}

describe('a task without a window', () => {
  test('may run at any time', () => {
    const window = createTaskWindow(null, china);
    expect(window).toBe(alwaysOpen);
    expect([window.has(0), window.openFrom(5), window.openFor(5)]).toEqual([true, 5, Infinity]);
  });
});

describe('two clock times', () => {
  test.each([
    ['2026-09-20T00:59:59.999Z', false],
    ['2026-09-20T01:00Z', true],
    ['2026-09-20T09:59:59.999Z', true],
    ['2026-09-20T10:00Z', false],
  ])('from 09:00 to 18:00 in China: at %s open is %s', (at, isOpen) => {
    expect(createTaskWindow(['09:00', '18:00'], china).has(ms(at))).toBe(isOpen);
  });

  test.each<[TaskTime, string, [string, number] | 'never']>([
    [['09:00', '18:00'], '2026-09-20T00:00Z', ['2026-09-20T01:00Z', 540]],
    [['09:00', '18:00'], '2026-09-20T05:30Z', ['2026-09-20T05:30Z', 270]],
    [['09:00', '18:00'], '2026-09-20T10:00Z', ['2026-09-21T01:00Z', 540]],
    [['22:00', '06:00'], '2026-09-20T13:00Z', ['2026-09-20T14:00Z', 480]],
    [['22:00', '06:00'], '2026-09-20T21:00Z', ['2026-09-20T21:00Z', 60]],
    [['22:00', '06:00'], '2026-09-20T22:00Z', ['2026-09-21T14:00Z', 480]],
    [['09:00:30', '09:01:30'], '2026-09-20T00:00Z', ['2026-09-20T01:00:30.000Z', 1]],
    [['00:00', '00:00'], '2026-09-20T00:00Z', ['2026-09-20T00:00Z', 960]],
    [['12:00', '12:00'], '2026-09-20T00:00Z', ['2026-09-20T00:00Z', 240]],
  ])('%j opens from %s on at %j', (taskTime, from, opening) => {
    expect(nextOpening(taskTime, china, from)).toEqual(opening);
  });
});

describe('dates and moments', () => {
  test.each<[TaskTime, string, [string, number] | 'never']>([
    [['2026-10-01', '2026-10-07'], '2026-09-20T00:00Z', ['2026-09-30T16:00Z', 7 * 24 * 60]],
    [['2026-10-01', '2026-10-01'], '2026-10-01T15:00Z', ['2026-10-01T15:00Z', 60]],
    [['2026-10-01', '2026-10-07'], '2026-10-07T16:00Z', 'never'],
    [['2026-10-01 08:00', '2026-10-01T09:30'], '2026-09-20T00:00Z', ['2026-10-01T00:00Z', 90]],
    [['2026-10-01T08:00Z', '2026-10-01T09:30:00+0000'], '2026-09-20T00:00Z', ['2026-10-01T08:00Z', 90]],
    [['2026-10-01T08:00+05:30', '2026-10-01 08:00-0100'], '2026-09-20T00:00Z', ['2026-10-01T02:30Z', 390]],
    [
      ['2026-10-01T08:00:00.5', '2026-10-01'],
      '2026-09-20T00:00Z',
      ['2026-10-01T00:00:00.500Z', 960 - 0.5 / 60],
    ],
    [[1_790_812_800, 1_790_816_400], '2026-09-20T00:00Z', ['2026-10-01T00:00Z', 60]],
    [[1_790_812_800, '2026-10-01T10:00'], '2026-09-20T00:00Z', ['2026-10-01T00:00Z', 120]],
    [['2026-10-07', '2026-10-01'], '2026-09-20T00:00Z', 'never'],
    [['2026-10-01T08:00', '2026-10-01T08:00'], '2026-09-20T00:00Z', 'never'],
  ])('%j opens from %s on at %j', (taskTime, from, opening) => {
    expect(nextOpening(taskTime, china, from)).toEqual(opening);
  });

  test('that end are followed by nothing', () => {
    const window = createTaskWindow(['2026-10-01', '2026-10-07'], china);
    expect(window.openFrom(ms('2030-01-01'))).toBe(Infinity);
    expect(window.has(ms('2026-10-07T15:59:59.999Z'))).toBe(true);
    expect(window.has(ms('2026-10-07T16:00Z'))).toBe(false);
  });
});

describe('a clock time beside a date or a moment', () => {
  test.each<[TaskTime, string, [string, number] | 'never']>([
    // Every day from nine to midnight, until the end of the third.
    [['09:00', '2026-10-03'], '2026-10-03T00:00Z', ['2026-10-03T01:00Z', 15 * 60]],
    [['09:00', '2026-10-03'], '2026-10-03T16:00Z', 'never'],
    [['09:00', '2026-10-03T12:00'], '2026-10-03T00:00Z', ['2026-10-03T01:00Z', 3 * 60]],
    // From the first on, every day from midnight to six.
    [['2026-10-01', '06:00'], '2026-09-20T00:00Z', ['2026-09-30T16:00Z', 6 * 60]],
    [['2026-10-01', '06:00'], '2027-01-01T00:00Z', ['2027-01-01T16:00Z', 6 * 60]],
    [['2026-10-01T04:00', '06:00'], '2026-09-20T00:00Z', ['2026-09-30T20:00Z', 2 * 60]],
    [['2026-10-01T07:00', '06:00'], '2026-09-20T00:00Z', ['2026-10-01T16:00Z', 6 * 60]],
  ])('%j opens from %s on at %j', (taskTime, from, opening) => {
    expect(nextOpening(taskTime, china, from)).toEqual(opening);
  });
});

describe('changes of the clocks in Berlin', () => {
  test.each<[string, TaskTime, string, [string, number] | 'never']>([
    // 29 March 2026: 02:00 is followed by 03:00, at 01:00 UTC.
    ['opens at nine on both sides', ['09:00', '10:00'], '2026-03-28T12:00Z', ['2026-03-29T07:00Z', 60]],
    ['loses the hour that is not there', ['01:00', '04:00'], '2026-03-28T12:00Z', ['2026-03-29T00:00Z', 120]],
    ['opens late', ['02:15', '03:30'], '2026-03-29T00:00Z', ['2026-03-29T01:00Z', 30]],
    ['closes early', ['01:30', '02:30'], '2026-03-29T00:00Z', ['2026-03-29T00:30Z', 30]],
    ['is left out', ['02:15', '02:45'], '2026-03-29T00:20Z', ['2026-03-30T00:15Z', 30]],
    [
      'has a day of 23 hours',
      ['2026-03-29', '2026-03-29'],
      '2026-03-01T00:00Z',
      ['2026-03-28T23:00Z', 23 * 60],
    ],
    [
      'reads a time that is not there',
      ['2026-03-29T02:30', '2026-03-30'],
      '2026-03-01T00:00Z',
      ['2026-03-29T01:30Z', 2670],
    ],
    // 25 October 2026: 03:00 is followed by 02:00, at 01:00 UTC.
    ['opens at nine again', ['09:00', '10:00'], '2026-10-24T12:00Z', ['2026-10-25T08:00Z', 60]],
    ['has the hour twice', ['01:00', '04:00'], '2026-10-24T12:00Z', ['2026-10-24T23:00Z', 240]],
    ['opens for the first time', ['02:15', '02:45'], '2026-10-24T12:00Z', ['2026-10-25T00:15Z', 30]],
    ['opens for the second time', ['02:15', '02:45'], '2026-10-25T00:50Z', ['2026-10-25T01:15Z', 30]],
    [
      'has a day of 25 hours',
      ['2026-10-25', '2026-10-25'],
      '2026-10-01T00:00Z',
      ['2026-10-24T22:00Z', 25 * 60],
    ],
    ['goes over the night', ['22:00', '06:00'], '2026-10-24T12:00Z', ['2026-10-24T20:00Z', 9 * 60]],
  ])('%s: %j from %s on at %j', (_name, taskTime, from, opening) => {
    expect(nextOpening(taskTime, berlin, from)).toEqual(opening);
  });
});

describe('any daily window, in any zone, at any time', () => {
  const zones = [
    china,
    berlin,
    'UTC',
    'America/New_York',
    'America/St_Johns',
    // Half an hour of summer time; clocks that change at midnight; an offset of three quarters.
    'Australia/Lord_Howe',
    'Africa/Cairo',
    'Asia/Kathmandu',
  ];
  const stepMs = 15 * minuteMs;
  const random = createSeededRandom(1);

  /** The clocks of a zone, read another way than the windows do. */
  function createClock(timeZone: string): (atMs: number) => string {
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    });
    return (atMs) => format.format(atMs);
  }

  function randomClockTime(): string {
    const quarters = random.below(96);
    const [hours, minutes] = [Math.floor(quarters / 4), (quarters % 4) * 15];
    return `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
  }

  test.each(zones)('opens at the first moment that lies in it, and closes where it says (%s)', (zone) => {
    const clock = createClock(zone);
    // The hours around a change of the clocks are a hundredth of a year: half of the rounds look there.
    const changes: number[] = [];
    for (let at = ms('2026-01-01'); at < ms('2027-01-01'); at += hourMs) {
      if (clock(at + hourMs).slice(0, 2) !== clock(at + 25 * hourMs).slice(0, 2)) changes.push(at + hourMs);
    }
    for (let round = 0; round < 100; round += 1) {
      const [start, end] = [randomClockTime(), randomClockTime()];
      const isOpen = (atMs: number) => {
        const at = clock(atMs);
        return start < end ? at >= start && at < end : at >= start || at < end;
      };
      const aroundMs =
        changes.length > 0 && round % 2 === 0
          ? random.pick(changes)
          : ms('2026-01-01') + random.below(365 * 24) * hourMs;
      const atMs = aroundMs + random.below(48 * hourMs) - 12 * hourMs;
      const what = `${start} to ${end} in ${zone} from ${iso(atMs)}`;

      let expectedMs = atMs;
      while (!isOpen(expectedMs)) expectedMs = (Math.floor(expectedMs / stepMs) + 1) * stepMs;
      const window = createTaskWindow([start, end], zone);
      const openMs = window.openFrom(atMs);
      expect(iso(openMs), what).toBe(iso(expectedMs));
      expect(window.has(openMs), what).toBe(true);

      const closeMs = openMs + window.openFor(openMs);
      expect(closeMs, what).toBeGreaterThan(openMs);
      for (let inMs = openMs; inMs < closeMs; inMs += stepMs) expect(isOpen(inMs), what).toBe(true);
      expect(window.has(closeMs - 1), what).toBe(true);
      if (start !== end) expect(isOpen(closeMs), what).toBe(false);
    }
  });
});
