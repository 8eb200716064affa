// Which time of a task is due: with late turns, a clock that jumps, tasks that were put off, and changes of clocks.
import { describe, expect, test } from 'vitest';
import { chooseTime } from '../../../../services/crontab/run/choose-time.ts';
import { advance, dayMs, due, hourMs, minuteMs, noon, secondMs, timesOf } from './due-schedule.ts';

describe('a time', () => {
  const first = noon + minuteMs;

  test.each([
    ['ahead of it', first - 500],
    ['at it', first],
    ['just after it', first + 1],
    ['until the next one', first + minuteMs - 1],
  ])('is planned %s, and the next one follows it', (_when, nowMs) => {
    expect(chooseTime(due(), nowMs)).toEqual({
      scheduledAt: first,
      missed: undefined,
      nextAt: first + minuteMs,
    });
  });

  test('that is the newest stands for those that nobody planned, which are counted', () => {
    expect(chooseTime(due(), first + 5 * minuteMs)).toEqual({
      scheduledAt: first + 5 * minuteMs,
      missed: { firstAt: first, lastAt: first + 4 * minuteMs, count: 5 },
      nextAt: first + 6 * minuteMs,
    });
  });

  test('that was missed alone is counted as one', () => {
    expect(chooseTime(due(), first + minuteMs + 7).missed).toEqual({
      firstAt: first,
      lastAt: first,
      count: 1,
    });
  });

  test('is called as late as its window says, and missed a millisecond later', () => {
    const daily = timesOf(4, '0 0 9 * * *');
    const nine = Date.parse('2026-09-21T09:00:00+08:00');
    const schedule = due({ times: daily, windowMs: hourMs });
    const next = nine + dayMs;
    expect(chooseTime(schedule, nine + hourMs)).toEqual({
      scheduledAt: nine,
      missed: undefined,
      nextAt: next,
    });
    const missed = { firstAt: nine, lastAt: nine, count: 1 };
    expect(chooseTime(schedule, nine + hourMs + 1)).toEqual({ scheduledAt: undefined, missed, nextAt: next });
  });

  test('that is too late is missed together with those before it', () => {
    const daily = timesOf(4, '0 0 9 * * *');
    const nine = Date.parse('2026-09-21T09:00:00+08:00');
    expect(chooseTime(due({ times: daily }), nine + 2 * dayMs + 2 * hourMs)).toEqual({
      scheduledAt: undefined,
      missed: { firstAt: nine, lastAt: nine + 2 * dayMs, count: 3 },
      nextAt: nine + 3 * dayMs,
    });
  });

  test('of a year of missed seconds is chosen at once, and a thousand of them are counted', () => {
    const nowMs = noon + 365 * dayMs;
    for (const times of [timesOf(2, '@every 1s'), timesOf(2, '* * * * * *')]) {
      const startedAt = performance.now();
      const { scheduledAt, missed, nextAt } = chooseTime(due({ times }), nowMs);
      expect(performance.now() - startedAt).toBeLessThan(500);
      expect(scheduledAt).toBe(nowMs);
      expect(missed).toEqual({ firstAt: noon + secondMs, lastAt: nowMs - secondMs, count: 1000 });
      expect(nextAt).toBe(nowMs + secondMs);
    }
  });

  test('that never comes is none', () => {
    const times = timesOf(6, '0 0 0 30 2 *');
    const nothing = { scheduledAt: undefined, missed: undefined, nextAt: Infinity };
    expect(chooseTime(due({ times, nextAt: noon }), noon)).toEqual(nothing);
  });
});

describe('a single time', () => {
  const fireMs = noon + hourMs;
  const times = timesOf(1, fireMs / 1000);

  test('is planned once', () => {
    const schedule = due({ times });
    const choice = chooseTime(schedule, fireMs - 300);
    expect(choice).toEqual({ scheduledAt: fireMs, missed: undefined, nextAt: Infinity });
    const done = advance(schedule, choice);
    for (const nextAt of [fireMs, fireMs + minuteMs]) {
      expect(chooseTime({ ...done, nextAt: fireMs }, nextAt)).toEqual({
        scheduledAt: undefined,
        missed: undefined,
        nextAt: Infinity,
      });
    }
  });

  test('is called late within its window, and missed after it', () => {
    expect(chooseTime(due({ times }), fireMs + hourMs)).toEqual({
      scheduledAt: fireMs,
      missed: undefined,
      nextAt: Infinity,
    });
    expect(chooseTime(due({ times }), fireMs + hourMs + 1)).toEqual({
      scheduledAt: undefined,
      missed: { firstAt: fireMs, lastAt: fireMs, count: 1 },
      nextAt: Infinity,
    });
  });

  test('that was just over when it was stored is called', () => {
    const anchorAt = fireMs + 20 * secondMs;
    const schedule = due({ times, anchorAt, nextAt: fireMs });
    expect(chooseTime(schedule, anchorAt).scheduledAt).toBe(fireMs);
    // Also when the task was put off first.
    expect(chooseTime({ ...schedule, nextAt: anchorAt + minuteMs }, anchorAt + minuteMs).scheduledAt).toBe(
      fireMs,
    );
  });

  test('by cron fields is the first one after they were stored', () => {
    const nine = Date.parse('2026-09-21T09:00:00+08:00');
    const once = timesOf(1, '0 0 9 * * *');
    const schedule = due({ times: once });
    const choice = chooseTime(schedule, nine);
    expect(choice).toEqual({ scheduledAt: nine, missed: undefined, nextAt: Infinity });
    expect(chooseTime({ ...advance(schedule, choice), nextAt: nine + dayMs }, nine + dayMs)).toMatchObject({
      scheduledAt: undefined,
      nextAt: Infinity,
    });
  });
});

describe('a task that was put off', () => {
  const first = noon + minuteMs;

  test('goes on with the first time after what was planned', () => {
    const putOff = due({ lastAt: first, nextAt: first + minuteMs + 3333 });
    expect(chooseTime(putOff, putOff.nextAt)).toEqual({
      scheduledAt: first + minuteMs,
      missed: undefined,
      nextAt: first + 2 * minuteMs,
    });
    expect(chooseTime(putOff, first + 3 * minuteMs)).toEqual({
      scheduledAt: first + 3 * minuteMs,
      missed: { firstAt: first + minuteMs, lastAt: first + 2 * minuteMs, count: 2 },
      nextAt: first + 4 * minuteMs,
    });
  });

  test('and of which nothing was planned yet goes on with the first time after it was stored', () => {
    expect(chooseTime(due({ nextAt: noon + 100 }), noon + 100)).toEqual({
      scheduledAt: undefined,
      missed: undefined,
      nextAt: first,
    });
    expect(chooseTime(due({ nextAt: first + 100 }), first + 100).scheduledAt).toBe(first);
  });

  test('ahead of a time is not planned then, but waits for it', () => {
    const putOff = due({ lastAt: first, nextAt: first + 100 });
    expect(chooseTime(putOff, first + 100)).toEqual({
      scheduledAt: undefined,
      missed: undefined,
      nextAt: first + minuteMs,
    });
  });
});

describe('with a clock that was set back', () => {
  const lastAt = noon + 30 * minuteMs;

  test('no time is planned twice', () => {
    for (const nextAt of [lastAt, lastAt - minuteMs, noon + minuteMs]) {
      expect(chooseTime(due({ lastAt, nextAt }), nextAt)).toEqual({
        scheduledAt: undefined,
        missed: undefined,
        nextAt: lastAt + minuteMs,
      });
    }
  });

  test('the next time is the one after what was planned', () => {
    const schedule = due({ lastAt, nextAt: noon + minuteMs });
    const nowMs = lastAt + minuteMs + 5;
    expect(chooseTime(schedule, nowMs)).toEqual({
      scheduledAt: lastAt + minuteMs,
      missed: undefined,
      nextAt: lastAt + 2 * minuteMs,
    });
  });
});

describe('where clocks are changed', () => {
  const newYork = 'America/New_York';

  test('a time that is skipped in spring is planned once after the gap', () => {
    const times = timesOf(4, '0 30 2 * * *', newYork);
    const anchorAt = Date.parse('2027-03-13T12:00:00Z');
    const gap = Date.parse('2027-03-14T03:00:00-04:00');
    let schedule = due({ times, anchorAt });
    const planned: number[] = [];
    for (let hour = 0; hour < 72; hour += 1) {
      const nowMs = anchorAt + hour * hourMs;
      if (schedule.nextAt > nowMs) continue;
      const choice = chooseTime(schedule, nowMs);
      planned.push(choice.scheduledAt ?? Number.NaN);
      schedule = advance(schedule, choice);
    }
    expect(planned).toHaveLength(3);
    expect((planned[0] ?? 0) - gap).toBeGreaterThanOrEqual(0);
    expect((planned[0] ?? 0) - gap).toBeLessThan(hourMs);
    expect(planned[1]).toBe(Date.parse('2027-03-15T02:30:00-04:00'));
  });

  test('a time that is there twice in autumn is planned once, also by a turn that comes after both', () => {
    const times = timesOf(4, '0 30 1 * * *', newYork);
    const anchorAt = Date.parse('2026-10-31T12:00:00Z');
    const first = Date.parse('2026-11-01T01:30:00-04:00');
    const schedule = due({ times, anchorAt });
    const punctual = chooseTime(schedule, first);
    const late = chooseTime(schedule, Date.parse('2026-11-01T02:00:00-05:00'));
    expect(punctual.scheduledAt).toBe(first);
    expect(punctual.nextAt).toBe(Date.parse('2026-11-02T01:30:00-05:00'));
    expect(chooseTime({ ...schedule, windowMs: dayMs }, Date.parse('2026-11-01T02:00:00-05:00'))).toEqual(
      punctual,
    );
    expect(late.missed).toEqual({ firstAt: first, lastAt: first, count: 1 });
  });

  test('what comes every half hour keeps its rhythm', () => {
    const times = timesOf(2, '0 */30 * * * *', newYork);
    const anchorAt = Date.parse('2026-11-01T04:00:00Z');
    const { missed } = chooseTime(due({ times, anchorAt }), anchorAt + 5 * hourMs);
    expect(missed).toEqual({ firstAt: anchorAt + hourMs / 2, lastAt: anchorAt + 4.5 * hourMs, count: 9 });
  });
});
