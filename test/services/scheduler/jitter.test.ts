// How the agents of one slot are spread in time.
import { describe, expect, test } from 'vitest';
import { jitterOf } from '../../../services/scheduler/jitter.ts';

const taskIds = Array.from({ length: 100 }, (_, index) => String(index + 1));

describe('jitterOf', () => {
  const agentIds = Array.from({ length: 4000 }, (_, index) => `agent-${index + 1}`);

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
    expect(new Set(taskIds.map((id) => jitterOf(id, 'a', 60_000))).size).toBeGreaterThan(90);
  });

  test('is none for a task that runs once', () => {
    expect(agentIds.every((id) => jitterOf('1', id, 0) === 0)).toBe(true);
  });
});
