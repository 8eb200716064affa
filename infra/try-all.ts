// Steps of which each is worth taking, whatever became of those before.
import { ProbeTaskError } from '../contracts/errors.ts';

/**
 * Takes the steps one after the other, each though another failed, and throws in the end: a single fault as it is, the
 * first where all of them are coded (`UNAVAILABLE`), else an `AggregateError`. An aborted `signal` ends it before the next
 * step.
 */
export async function tryAll(steps: (() => Promise<void>)[], signal?: AbortSignal): Promise<void> {
  const faults: unknown[] = [];
  for (const step of steps) {
    if (signal?.aborted) break;
    await step().catch((fault: unknown) => faults.push(fault));
  }
  throwAny(faults, `${faults.length} of ${steps.length} steps failed`);
}

/** Throws what stands for all of these faults, as `tryAll` does; nothing where there is none. */
export function throwAny(faults: unknown[], message: string): void {
  if (faults.length === 0) return;
  if (faults.length === 1 || faults.every((fault) => fault instanceof ProbeTaskError)) throw faults[0];
  throw new AggregateError(faults, message);
}
