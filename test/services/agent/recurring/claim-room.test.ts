// How much is held and claimed, as numbers.
import { describe, expect, test } from 'vitest';
import { maxRunCells } from '../../../../contracts/run.ts';
import { planClaim, planClaimRoom } from '../../../../services/agent/recurring/claim-room.ts';

test.each([
  [1024, 16_384, 512],
  [100_000, 1_600_000, 50_000],
  [1, 1600, 200],
])('%i queries at once: room for %i cells, and for %i of one task', (concurrency, maxCells, maxTaskCells) => {
  expect(planClaimRoom(concurrency)).toEqual({ maxCells, maxTaskCells });
});

describe('planClaim', () => {
  test.each([
    [16_384, 100, 40],
    [16_384, 50, 81],
    [16_384, 1, 81],
    [1_600_000, 1, 200],
    [399, 100, 1],
    [1, 1, 1],
    [0, 1, 0],
    [-50, 100, 0],
  ])('with room for %i cells and runs of %i each: %i', (freeCells, runCells, limit) => {
    expect(planClaim(freeCells, runCells)).toBe(limit);
  });

  test('leaves room for other tasks when what comes is all of one, and as large as can be', () => {
    const { maxCells } = planClaimRoom(1024);
    for (const before of [1, maxRunCells]) {
      const first = maxCells - planClaim(maxCells, before) * maxRunCells;
      const second = first - planClaim(first, maxRunCells) * maxRunCells;
      expect(second).toBeGreaterThan(maxCells / 4);
    }
  });
});
