// The books of a task whatever becomes of it: each of its times is planned or missed, once.
import { describe, expect, test } from 'vitest';
import { chooseTime } from '../../../../services/crontab/run/choose-time.ts';
import { createSeededRandom } from '../../../helpers/seeded-random.ts';
import { advance, dayMs, due, hourMs, minuteMs, timesOf } from './due-schedule.ts';

describe('any task, whatever becomes of it', () => {
  const zone = 'Europe/Berlin';
  const start = Date.parse('2027-03-27T00:00:00Z');
  const specs: [number, string][] = [
    [2, '@every 1s'],
    [2, '@every 7m'],
    [2, '*/20 * * * * *'],
    [3, '0 15 * * * *'],
    [4, '0 30 2 * * *'],
    [5, '0 0 0 31 * *'],
    [7, '0 0 12 * * MON'],
    [1, '0 0 3 * * *'],
  ];

  test.each(Array.from({ length: 40 }, (_, seed) => seed))(
    'has each of its times planned or missed, once and in order (seed %d)',
    (seed) => {
      const random = createSeededRandom(seed);
      const [type, spec] = random.pick(specs);
      const anchorAt = start + random.below(dayMs);
      const times = timesOf(type, spec, zone, anchorAt);
      let nowMs = anchorAt;
      let schedule = due({ times, anchorAt, windowMs: random.pick([5000, hourMs, 7 * dayMs]) });
      let told = anchorAt;
      for (let round = 0; round < 200; round += 1) {
        const kind = random.below(10);
        if (kind === 0) nowMs += random.below(3 * dayMs);
        else if (kind === 1) nowMs -= random.below(6 * hourMs);
        else if (kind === 2) schedule = { ...schedule, nextAt: nowMs };
        // As an update does that reads the clock.
        else if (kind === 3) schedule = { ...schedule, nextAt: schedule.times.after(nowMs) };
        else if (Number.isFinite(schedule.nextAt))
          nowMs = Math.max(nowMs, schedule.nextAt - random.below(500));
        if (schedule.nextAt > nowMs + 500) continue;

        const choice = chooseTime(schedule, nowMs);
        const { scheduledAt, missed } = choice;
        if (missed !== undefined) {
          expect(missed.firstAt).toBeGreaterThan(told);
          expect(missed.lastAt).toBeGreaterThanOrEqual(missed.firstAt);
          expect(missed.lastAt).toBeLessThanOrEqual(nowMs);
          told = missed.lastAt;
        }
        if (scheduledAt !== undefined) {
          expect(scheduledAt).toBeGreaterThan(told);
          expect(times.after(scheduledAt - 1)).toBe(scheduledAt);
          expect(scheduledAt).toBeLessThanOrEqual(nowMs + 500);
          expect(nowMs - scheduledAt).toBeLessThanOrEqual(schedule.windowMs);
          // Nothing between what is told as missed and the one that stands for it.
          if (missed !== undefined && !times.isOnce) expect(times.after(missed.lastAt)).toBe(scheduledAt);
          told = scheduledAt;
        }
        expect(choice.nextAt).toBeGreaterThan(Math.min(nowMs, told));
        if (Number.isFinite(choice.nextAt)) expect(times.after(choice.nextAt - 1)).toBe(choice.nextAt);
        schedule = advance(schedule, choice);
      }
    },
  );

  test.each(specs)(
    'is called and missed as often with late turns as it is due: type %d, %s',
    (type, spec) => {
      const random = createSeededRandom(7);
      const times = timesOf(type, spec, zone, start);
      const days = type === 2 ? 0.2 : 40;
      const endMs = start + days * dayMs;
      let expected = 0;
      for (let at = times.after(start); at <= endMs; at = times.isOnce ? Infinity : times.after(at))
        expected += 1;
      let schedule = due({ times, anchorAt: start, windowMs: 20 * minuteMs });
      let counted = 0;
      for (let nowMs = start; nowMs < endMs; ) {
        nowMs = Math.min(nowMs + random.below(type === 2 ? 10 * minuteMs : 3 * dayMs), endMs);
        // One turn after the other until nothing is due any more.
        while (schedule.nextAt <= nowMs) {
          const choice = chooseTime(schedule, nowMs);
          counted += (choice.scheduledAt === undefined ? 0 : 1) + (choice.missed?.count ?? 0);
          schedule = advance(schedule, choice);
        }
      }
      expect(counted).toBe(expected);
    },
  );
});
