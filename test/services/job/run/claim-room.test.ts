// How many jobs a replica claims.
import { describe, expect, test } from 'vitest';
import { planClaim } from '../../../../services/job/run/claim-room.ts';

describe('a replica', () => {
  test('claims what it has places for, and nothing ahead while jobs take long', () => {
    expect(planClaim(2, { agesMs: [], waiting: 0, averageMs: 1000 })).toBe(2);
    expect(planClaim(2, { agesMs: [10], waiting: 0, averageMs: 1000 })).toBe(1);
    expect(planClaim(2, { agesMs: [10, 10], waiting: 0, averageMs: 1000 })).toBe(0);
  });

  test('claims ahead while jobs are short, less what waits already', () => {
    expect(planClaim(2, { agesMs: [1, 1], waiting: 0, averageMs: 20 })).toBe(4);
    expect(planClaim(2, { agesMs: [1, 1], waiting: 3, averageMs: 20 })).toBe(1);
    expect(planClaim(2, { agesMs: [1, 1], waiting: 0, averageMs: 0.1 })).toBe(200);
    expect(planClaim(2, { agesMs: [1, 1], waiting: 300, averageMs: 0.1 })).toBe(0);
  });

  test('claims nothing ahead for a place that is busy with a long one', () => {
    expect(planClaim(2, { agesMs: [1, 5000], waiting: 0, averageMs: 20 })).toBe(2);
    expect(planClaim(2, { agesMs: [5000, 5000], waiting: 0, averageMs: 0.1 })).toBe(0);
  });
});
