// Work that is done again and again for as long as a service runs.
import { ProbeTaskError } from '../contracts/errors.ts';
import type { Component } from './lifecycle.ts';
import type { Logger } from './logger.ts';

export type Repetition = Component & {
  /**
   * Does not wait for the end of the present pause; a turn under way is followed by another one. The pause after a turn
   * that failed takes its full time. `afterMs`: the same that much later, unless a turn comes sooner anyway.
   */
  hurry(afterMs?: number): void;
};

/**
 * Runs `work` at once, and again `intervalMs` after each turn ended, or right away when the turn says that there is
 * more. A turn that fails is told in the log, a coded fault (`UNAVAILABLE`) once until it is over, and the next one comes
 * all the same, `retryMs` later. `stop` aborts the signal that the turn under way was given, and waits for its end.
 */
export function createRepetition(options: {
  /** What the log calls it. */
  name: string;
  intervalMs: number;
  /** As `intervalMs` unless said otherwise. */
  retryMs?: number;
  work: (signal: AbortSignal) => Promise<{ hasMore: boolean }>;
  logger: Logger;
}): Repetition {
  const { name, intervalMs, retryMs = intervalMs, work, logger } = options;
  const stopping = new AbortController();
  let isStopped = false;
  let isHurried = false;
  let hasFailed = false;
  let isAway = false;
  let wake: (() => void) | undefined;
  let running: Promise<void> | undefined;
  let later: { at: number; timer: NodeJS.Timeout } | undefined;

  async function turn(): Promise<boolean> {
    try {
      const { hasMore } = await work(stopping.signal);
      if (isAway) logger.info({ work: name }, 'works again');
      isAway = false;
      hasFailed = false;
      return hasMore;
    } catch (error) {
      const isCoded = error instanceof ProbeTaskError;
      if (!isCoded) logger.error({ err: error, work: name }, 'a turn failed');
      else if (!isAway) logger.warn({ work: name, reason: error.message }, 'has to wait');
      isAway = isCoded;
      hasFailed = true;
      return false;
    }
  }

  async function run(): Promise<void> {
    while (!isStopped) {
      isHurried = false;
      const hasMore = await turn();
      if (!hasMore) await pause();
    }
  }

  function pause(): Promise<void> {
    if (isStopped || (isHurried && !hasFailed)) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, hasFailed ? retryMs : intervalMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  function hurryNow(): void {
    isHurried = true;
    if (!hasFailed) wake?.();
  }

  function hurryLater(afterMs: number): void {
    const at = performance.now() + afterMs;
    if (isStopped || afterMs >= intervalMs || (later !== undefined && later.at <= at)) return;
    clearTimeout(later?.timer);
    const timer = setTimeout(() => {
      later = undefined;
      hurryNow();
    }, afterMs);
    later = { at, timer };
  }

  return {
    async start() {
      if (!isStopped) running ??= run();
    },
    hurry(afterMs = 0) {
      if (afterMs > 0) hurryLater(afterMs);
      else hurryNow();
    },
    async stop() {
      isStopped = true;
      stopping.abort();
      clearTimeout(later?.timer);
      wake?.();
      await running;
    },
  };
}
