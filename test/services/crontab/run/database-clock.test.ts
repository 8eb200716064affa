// The clock of the database, told from answers that took their time on the way, by clocks of the test.
import { expect, test } from 'vitest';
import { createDatabaseClock } from '../../../../services/crontab/run/database-clock.ts';
import { createSeededRandom } from '../../../helpers/seeded-random.ts';

/** The database is so much ahead of the clock of this process. */
const aheadMs = 1_790_000_000_000;

function setup() {
  const time = { nowMs: 0 };
  const clock = createDatabaseClock(() => time.nowMs);
  return {
    time,
    clock,
    /** An answer that the database sent so long ago. */
    hear: (ageMs: number, ahead = aheadMs) => clock.note(time.nowMs - ageMs + ahead),
    /** What the clock says too little. */
    lag: (ahead = aheadMs) => time.nowMs + ahead - clock.nowMs(),
  };
}

test('there is no time before the first answer', () => {
  expect(setup().clock.nowMs()).toBeNaN();
});

test('time goes on between answers', () => {
  const { time, clock, hear } = setup();
  hear(0);
  expect(clock.nowMs()).toBe(aheadMs);
  time.nowMs += 1234.5;
  expect(clock.nowMs()).toBe(aheadMs + 1234.5);
});

test('the answer that came fastest tells the time, whenever it came within a minute', () => {
  const { time, hear, lag } = setup();
  hear(7);
  expect(lag()).toBe(7);
  hear(3);
  expect(lag()).toBe(3);
  time.nowMs = 30_000;
  hear(5);
  expect(lag()).toBe(3);
  time.nowMs = 59_999;
  hear(4);
  expect(lag()).toBe(3);
  time.nowMs = 60_000;
  hear(9);
  // The fastest of those that are left.
  expect(lag()).toBe(4);
  time.nowMs = 119_999;
  hear(9);
  expect(lag()).toBe(9);
});

test('a database that was set forward is believed at once', () => {
  const { hear, lag } = setup();
  hear(1);
  hear(5, aheadMs + 30_000);
  expect(lag(aheadMs + 30_000)).toBe(5);
});

test('a database that was set back is believed after a minute', () => {
  const { time, hear, lag } = setup();
  hear(1);
  for (time.nowMs = 1000; time.nowMs < 60_000; time.nowMs += 1000) {
    hear(2, aheadMs - 30_000);
    expect(lag()).toBe(1);
  }
  hear(2, aheadMs - 30_000);
  expect(lag(aheadMs - 30_000)).toBe(2);
});

test('it is never ahead of the database, and behind it by the fastest way of a minute', () => {
  const { time, clock, hear, lag } = setup();
  const random = createSeededRandom(3);
  const heard: { atMs: number; ageMs: number }[] = [];
  for (let round = 0; round < 5000; round += 1) {
    time.nowMs += random.below(500);
    const ageMs = random.below(100);
    heard.push({ atMs: time.nowMs, ageMs });
    hear(ageMs);
    const remembered = heard.filter(({ atMs }) => atMs > time.nowMs - 60_000);
    expect(lag()).toBe(Math.min(...remembered.map((each) => each.ageMs)));
    expect(clock.nowMs()).toBeLessThanOrEqual(time.nowMs + aheadMs);
  }
});
