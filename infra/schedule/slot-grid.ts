// The nominal times of what repeats: a grid of whole milliseconds, phase + n·cycle since the epoch.
import { hash } from 'node:crypto';

/** A number from 0 to 2³² - 1 that depends on the text alone, alike on every machine. */
function hashText(text: string): number {
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 8), 16);
}

/** Milliseconds by which the grid of whoever has this key is shifted, so that those of one cycle are spread over it. */
export function phaseOf(key: string, cycleMs: number): number {
  return Math.floor((hashText(key) / 2 ** 32) * cycleMs);
}

/** The first time of the grid after `atMs` (milliseconds since the epoch); any time of the grid may be its phase. */
export function slotAfter(phaseMs: number, cycleMs: number, atMs: number): number {
  return slotUntil(phaseMs, cycleMs, atMs) + cycleMs;
}

/** The last time of the grid that is not after `atMs`. */
export function slotUntil(phaseMs: number, cycleMs: number, atMs: number): number {
  return phaseMs + Math.floor((atMs - phaseMs) / cycleMs) * cycleMs;
}
