// When after a slot's nominal time each agent begins.
import { phaseOf } from '../../infra/schedule/slot-grid.ts';

/** Jitter stays below this share of the cycle, and below this time. */
const jitterShare = 0.1;
const maxJitterMs = 5000;

/**
 * Milliseconds after the nominal time at which an agent begins, so that not all of them ask the same servers in the same
 * moment. Always the same for a task and an agent; none for a task that runs once.
 */
export function jitterOf(taskId: string, agentId: string, cycleMs: number): number {
  return phaseOf(`${taskId} ${agentId}`, Math.min(cycleMs * jitterShare, maxJitterMs));
}
