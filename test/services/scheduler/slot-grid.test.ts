// The grid of nominal times, over every cycle that a task may have.
import { describe, expect, test } from 'vitest';
import { jitterOf, phaseOf, slotAfter, slotUntil } from '../../../services/scheduler/slot-grid.ts';
import { createSeededRandom } from '../../helpers/seeded-random.ts';

const cyclesS = [1, 2, 7, 60, 3600, 86_400, 86_401, 366 * 86_400];
const nowMs = Date.UTC(2026, 8, 20, 12);
const taskIds = Array.from({ length: 10_000 }, (_, index) => String(index + 1));

describe('phaseOf', () => {
  test('is the same on every machine and in every version', () => {
    expect(phaseOf('1', 60_000)).toBe(25_201);
    expect(phaseOf('1', 366 * 86_400_000)).toBe(13_282_168_965);
    expect(phaseOf('123456789012345678', 1000)).toBe(218);
  });

  test('spreads the tasks of one cycle evenly over it', () => {
    const counts = new Array(10).fill(0);
    for (const id of taskIds) counts[Math.floor(phaseOf(id, 60_000) / 6000)] += 1;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
  });
});

describe('slotAfter and slotUntil', () => {
  test.each(cyclesS)('agree on one grid with a cycle of %d s', (cycleS) => {
    const random = createSeededRandom(cycleS);
    const cycleMs = cycleS * 1000;
    for (let round = 0; round < 100; round += 1) {
      const id = String(random.below(2 ** 31));
      const atMs = random.below(4 * nowMs);
      const until = slotUntil(id, cycleMs, atMs);
      const after = slotAfter(id, cycleMs, atMs);
      expect(until).toBeLessThanOrEqual(atMs);
      expect(after).toBeGreaterThan(atMs);
      expect(after - until).toBe(cycleMs);
      expect(slotUntil(id, cycleMs, until)).toBe(until);
      expect(slotAfter(id, cycleMs, until)).toBe(after);
      expect(slotUntil(id, cycleMs, after - 1)).toBe(until);
      expect((until - phaseOf(id, cycleMs)) / cycleMs).toSatisfy(Number.isInteger);
    }
  });

  test.each(cyclesS)('advance by the cycle, slot after slot, with one of %d s', (cycleS) => {
    let slot = slotAfter('42', cycleS * 1000, nowMs);
    for (let round = 0; round < 50; round += 1) {
      const next = slotAfter('42', cycleS * 1000, slot);
      expect(next - slot).toBe(cycleS * 1000);
      slot = next;
    }
  });
});

describe('jitterOf', () => {
  const agentIds = taskIds.slice(0, 4000).map((id) => `agent-${id}`);

  test.each([
    [1, 100],
    [10, 1000],
    [50, 5000],
    [86_400, 5000],
  ])('with a cycle of %d s is spread over %d ms', (cycleS, rangeMs) => {
    const jitters = agentIds.map((id) => jitterOf('1', id, cycleS * 1000));
    expect(Math.min(...jitters)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...jitters)).toBeLessThan(rangeMs);
    const mean = jitters.reduce((sum, jitter) => sum + jitter, 0) / jitters.length;
    expect(mean / rangeMs).toBeCloseTo(0.5, 1);
    expect(new Set(jitters).size).toBeGreaterThan(Math.min(rangeMs, 4000) * 0.5);
  });

  test('is always the same for a task and an agent, and differs between tasks', () => {
    expect(jitterOf('7', 'a', 60_000)).toBe(jitterOf('7', 'a', 60_000));
    expect(new Set(taskIds.slice(0, 100).map((id) => jitterOf(id, 'a', 60_000))).size).toBeGreaterThan(90);
  });

  test('is none for a task that runs once', () => {
    expect(agentIds.every((id) => jitterOf('1', id, 0) === 0)).toBe(true);
  });
});
