// The grid of nominal times, over every cycle that a task may have, and any phase.
import { describe, expect, test } from 'vitest';
import { phaseOf, slotAfter, slotUntil } from '../../../infra/schedule/slot-grid.ts';
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
    for (let round = 0; round < 200; round += 1) {
      // The moment of something may be the phase as well, and lie before or after what is asked for.
      const phaseMs = round % 2 === 0 ? phaseOf(String(round), cycleMs) : random.below(4 * nowMs);
      const atMs = random.below(4 * nowMs);
      const until = slotUntil(phaseMs, cycleMs, atMs);
      const after = slotAfter(phaseMs, cycleMs, atMs);
      expect(until).toBeLessThanOrEqual(atMs);
      expect(after).toBeGreaterThan(atMs);
      expect(after - until).toBe(cycleMs);
      expect(slotUntil(phaseMs, cycleMs, until)).toBe(until);
      expect(slotAfter(phaseMs, cycleMs, until)).toBe(after);
      expect(slotUntil(phaseMs, cycleMs, after - 1)).toBe(until);
      expect((until - phaseMs) / cycleMs).toSatisfy(Number.isInteger);
    }
  });

  test.each(cyclesS)('advance by the cycle, slot after slot, with one of %d s', (cycleS) => {
    const cycleMs = cycleS * 1000;
    const phaseMs = phaseOf('42', cycleMs);
    let slot = slotAfter(phaseMs, cycleMs, nowMs);
    for (let round = 0; round < 50; round += 1) {
      const next = slotAfter(phaseMs, cycleMs, slot);
      expect(next - slot).toBe(cycleMs);
      slot = next;
    }
  });

  test('go on from the moment that is their phase', () => {
    expect(slotUntil(nowMs, 7000, nowMs)).toBe(nowMs);
    expect(slotAfter(nowMs, 7000, nowMs)).toBe(nowMs + 7000);
    expect(slotAfter(nowMs, 7000, nowMs + 20_999)).toBe(nowMs + 21_000);
  });
});
