// How reading ends at the first thing that is refused.
import type { Reading } from './content.ts';

class Refusal extends Error {
  override name = 'Refusal';
}

/** Ends `settleReading`. Neither `place` nor `why` may quote a value: keys, positions and names of modules only. */
export function refuse(place: string, why: string): never {
  throw new Refusal(place === '' ? why : `${place}: ${why}`);
}

/** What `read` returns, or why it was refused. Other errors are faults of this program and pass. */
export function settleReading<Value>(read: () => Value): Reading<Value> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, reason: error.message };
    throw error;
  }
}

const longestKeyShown = 64;

/** A key as a reason shows it: short, and in printable characters. */
export function showKey(key: string): string {
  const printable = key.replaceAll(/[^\x20-\x7e]/g, '?');
  return printable.length > longestKeyShown ? `${printable.slice(0, longestKeyShown)}…` : printable;
}
