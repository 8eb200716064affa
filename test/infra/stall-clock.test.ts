// How long a process stood still, told by a clock and a timer that are both of the test.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createStallClock, type StallClock } from '../../infra/stall-clock.ts';

let clock: StallClock;
let now = 0;

beforeEach(async () => {
  vi.useFakeTimers();
  now = 1000;
  clock = createStallClock(() => now);
  await clock.start();
});
afterEach(async () => {
  await clock.stop();
  vi.useRealTimers();
});

/** The loop turns: time goes on and the timer fires. */
function tick(elapsedMs: number): void {
  now += elapsedMs;
  vi.advanceTimersByTime(50);
}

test('says nothing in ordinary operation', () => {
  for (let turn = 0; turn < 10; turn += 1) tick(60);
  now += 200;
  expect(clock.stalledMs()).toBe(0);
});

test('tells a standstill before the timer has fired', () => {
  tick(50);
  now += 3000;
  expect(clock.stalledMs()).toBe(3000);
});

test('tells a standstill after the late timer fired, for what was read only then', () => {
  tick(50);
  tick(3000);
  expect(clock.stalledMs()).toBe(3000);
  tick(50);
  expect(clock.stalledMs()).toBe(0);
});
