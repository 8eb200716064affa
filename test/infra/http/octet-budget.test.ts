// How much may be in memory at once.
import { expect, test } from 'vitest';
import { createOctetBudget } from '../../../infra/http/octet-budget.ts';

const kib = 1024;

test('what does not fit waits for what is let go', () => {
  const budget = createOctetBudget(200 * kib);
  const first = budget.take(100 * kib);
  const second = budget.take(100 * kib);
  expect([typeof first, typeof second, budget.take(64 * kib)]).toEqual(['function', 'function', undefined]);
  first?.();
  expect(budget.take(101 * kib)).toBeUndefined();
  expect(budget.take(100 * kib)).toBeTypeOf('function');
  expect(budget.held()).toBe(200 * kib);
});

test('letting go twice counts once', () => {
  const budget = createOctetBudget(200 * kib);
  const first = budget.take(100 * kib);
  budget.take(100 * kib);
  first?.();
  first?.();
  expect(budget.held()).toBe(100 * kib);
});

test('what is small always fits', () => {
  const budget = createOctetBudget(100 * kib);
  budget.take(100 * kib);
  expect(budget.take(64 * kib - 1)).toBeTypeOf('function');
  expect(budget.take(0)).toBeTypeOf('function');
  expect(budget.held()).toBe(100 * kib);
});

test('what is larger than all fits alone', () => {
  const budget = createOctetBudget(100 * kib);
  const all = budget.take(1000 * kib);
  expect(all).toBeTypeOf('function');
  expect(budget.take(64 * kib)).toBeUndefined();
  all?.();
  expect(budget.take(64 * kib)).toBeTypeOf('function');
});
