// How a budget is split between tries.
import { describe, expect, test } from 'vitest';
import { planTries } from '../../../../services/agent/dns/plan-tries.ts';

describe('planTries', () => {
  test('gives the first try 40% of the budget and the second the rest', () => {
    expect(planTries(3000)).toEqual([1200, 1800]);
    expect(planTries(500)).toEqual([200, 300]);
  });

  test('lets the first try wait 5 s at most', () => {
    expect(planTries(60_000)).toEqual([5_000, 55_000]);
  });

  test('plans a single try for a very short budget', () => {
    expect(planTries(20)).toEqual([20]);
    expect(planTries(0.5)).toEqual([0.5]);
  });

  test('plans none when nothing is left', () => {
    expect(planTries(0)).toEqual([]);
    expect(planTries(-5)).toEqual([]);
    expect(planTries(Number.NaN)).toEqual([]);
  });

  test('always spends the whole budget', () => {
    for (const budgetMs of [1, 21, 150, 999, 3_000, 12_500, 59_999]) {
      expect(planTries(budgetMs).reduce((sum, waitMs) => sum + waitMs, 0)).toBeCloseTo(budgetMs, 6);
    }
  });
});
