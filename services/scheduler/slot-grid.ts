// The nominal times of a task: a grid of whole milliseconds, phase + n·cycle since the epoch.
import { hash } from 'node:crypto';

/** A number from 0 to 2³² - 1 that depends on the text alone, alike on every machine. */
function hashText(text: string): number {
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 8), 16);
}

/** Milliseconds by which a task's grid is shifted, so that tasks of one cycle are spread over it. */
export function phaseOf(taskId: string, cycleMs: number): number {
  return Math.floor((hashText(taskId) / 2 ** 32) * cycleMs);
}

/** The first time of the grid after `atMs` (milliseconds since the epoch). */
export function slotAfter(taskId: string, cycleMs: number, atMs: number): number {
  return slotUntil(taskId, cycleMs, atMs) + cycleMs;
}

/** The last time of the grid that is not after `atMs`. */
export function slotUntil(taskId: string, cycleMs: number, atMs: number): number {
  const phase = phaseOf(taskId, cycleMs);
  return phase + Math.floor((atMs - phase) / cycleMs) * cycleMs;
}

/** Jitter stays below this share of the cycle, and below this time. */
const jitterShare = 0.1;
const maxJitterMs = 5000;

/**
 * Milliseconds after the nominal time at which an agent begins, so that not all of them ask the same servers in the same
 * moment. Always the same for a task and an agent; none for a task that runs once.
 */
export function jitterOf(taskId: string, agentId: string, cycleMs: number): number {
  const range = Math.min(cycleMs * jitterShare, maxJitterMs);
  return Math.floor((hashText(`${taskId} ${agentId}`) / 2 ** 32) * range);
}
