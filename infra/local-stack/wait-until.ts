// Waits for a condition that announces itself to nobody: a server that answers, a process that is gone.
import { setTimeout as pause } from 'node:timers/promises';

export type WaitOptions = {
  /** Longest wait. */
  timeoutMs: number;
  /** Pause between two attempts (default 25 ms). */
  intervalMs?: number;
  /** Ends the wait early; the promise then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
};

/** Repeats `attempt` until it gives something other than null, and returns that; null once the time is up. */
export async function waitUntil<T>(
  attempt: () => Promise<T | null>,
  { timeoutMs, intervalMs = 25, signal }: WaitOptions,
): Promise<T | null> {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const result = await attempt();
    if (result !== null) return result;
    if (performance.now() >= giveUpAt) return null;
    await pause(intervalMs);
  }
}
