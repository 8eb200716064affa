// How long agents may not have been heard of, told by a clock of the test.
import { beforeEach, expect, test } from 'vitest';
import { type AbsenceClock, createAbsenceClock } from '../../../services/scheduler/agent-absence.ts';

const dayMs = 24 * 3_600_000;
let clock: AbsenceClock;
let now: number;

beforeEach(() => {
  now = 5000;
  clock = createAbsenceClock(() => now);
});

/** A turn that reaches the database so much later. */
function turnAfter(elapsedMs: number): void {
  now += elapsedMs;
  clock.read();
  clock.noteTurn();
}

function startLongAgo(): void {
  turnAfter(0);
  for (let second = 0; second < 20; second += 1) turnAfter(1000);
}

test('in ordinary operation an agent is away after a minute', () => {
  startLongAgo();
  now += 200;
  expect(clock.read()).toEqual({ aliveMs: 60_000, returnMs: 0 });
});

test('after a start agents of the last day have fifteen seconds to be heard of', () => {
  expect(clock.read()).toEqual({ aliveMs: 60_000 + dayMs + 15_000, returnMs: 15_000 });
  clock.noteTurn();
  turnAfter(9000);
  now += 5999;
  expect(clock.read()).toEqual({ aliveMs: 60_000 + dayMs + 15_000, returnMs: 1 });
  now += 1;
  expect(clock.read()).toEqual({ aliveMs: 60_000, returnMs: 0 });
});

test('the fifteen seconds after a start begin when the database is first there', () => {
  for (let attempt = 0; attempt < 30; attempt += 1) {
    clock.read();
    now += 1000;
  }
  turnAfter(0);
  now += 5000;
  expect(clock.read().returnMs).toBe(10_000);
});

test('after a standstill its time does not count against agents, for fifteen seconds', () => {
  startLongAgo();
  now += 40_000;
  expect(clock.read()).toEqual({ aliveMs: 60_000 + 40_000 + 15_000, returnMs: 15_000 });
  // It goes on: this turn failed.
  now += 20_000;
  expect(clock.read()).toEqual({ aliveMs: 60_000 + 60_000 + 15_000, returnMs: 15_000 });
  clock.noteTurn();
  now += 5000;
  expect(clock.read()).toEqual({ aliveMs: 60_000 + 60_000 + 15_000, returnMs: 10_000 });
  clock.noteTurn();
  turnAfter(9999);
  now += 1;
  expect(clock.read()).toEqual({ aliveMs: 60_000, returnMs: 0 });
});

test('a turn that takes a few seconds is no standstill', () => {
  startLongAgo();
  now += 10_000;
  expect(clock.read()).toEqual({ aliveMs: 60_000, returnMs: 0 });
});

test('tells how long the latest turn is ago', () => {
  expect(clock.sinceTurnMs()).toBe(Infinity);
  clock.noteTurn();
  now += 700;
  expect(clock.sinceTurnMs()).toBe(700);
});
