// How many tasks turns lock, one after the other.
import { expect, test } from 'vitest';
import { measureTurn } from '../../../infra/schedule/turn-size.ts';

const maxTasks = 500;

test('a turn that locked as many as it might is full, and the next may lock as many', () => {
  const counts = { limit: 500, locked: 500, taken: 500, maxTasks };
  expect(measureTurn(counts)).toEqual({ isFull: true, nextLimit: 500 });
});

test('a turn that found fewer has all that is due', () => {
  const counts = { limit: 500, locked: 499, taken: 499, maxTasks };
  expect(measureTurn(counts)).toEqual({ isFull: false, nextLimit: 500 });
  expect(measureTurn({ ...counts, locked: 0, taken: 0 })).toEqual({ isFull: false, nextLimit: 500 });
});

test('a turn that was cut is full, and the next locks what this one took, one at least', () => {
  const counts = { limit: 500, locked: 20, taken: 7, maxTasks };
  expect(measureTurn(counts)).toEqual({ isFull: true, nextLimit: 7 });
  expect(measureTurn({ ...counts, taken: 0 })).toEqual({ isFull: true, nextLimit: 1 });
});

test('turns that are not cut lock twice as many each time, up to what any may', () => {
  const limits: number[] = [];
  for (let limit = 7; limits.length < 8; ) {
    limit = measureTurn({ limit, locked: limit, taken: limit, maxTasks }).nextLimit;
    limits.push(limit);
  }
  expect(limits).toEqual([14, 28, 56, 112, 224, 448, 500, 500]);
});
