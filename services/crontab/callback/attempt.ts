// One call under way: it ends with its reply, at its deadline, or when it is given up; whichever is first.
import { type CallbackOutcome, failed } from './callback.ts';

/** Ends the work at once, and says what is known of it by then. */
export type Interrupt = (code: 'TIMEOUT' | 'ABORTED', reason: string) => CallbackOutcome;

/** Starts the work, which settles with its outcome, once or more: the first one counts. */
export type Work = (settle: (outcome: CallbackOutcome) => void) => Interrupt;

export type AbortGroups = {
  join(signal: AbortSignal, onAbort: () => void): void;
  leave(signal: AbortSignal, onAbort: () => void): void;
};

/** Listeners of signals that thousands of calls share: a signal's own list takes longer the longer it is. */
export function createAbortGroups(): AbortGroups {
  const groups = new WeakMap<AbortSignal, Set<() => void>>();

  function createGroup(signal: AbortSignal): Set<() => void> {
    const group = new Set<() => void>();
    groups.set(signal, group);
    signal.addEventListener('abort', () => {
      for (const onAbort of [...group]) onAbort();
    });
    return group;
  }

  return {
    join(signal, onAbort) {
      (groups.get(signal) ?? createGroup(signal)).add(onAbort);
    },
    leave(signal, onAbort) {
      groups.get(signal)?.delete(onAbort);
    },
  };
}

/** The outcome of the work: `TIMEOUT` after `timeoutMs`, `ABORTED` when one of the signals says so. */
export function runAttempt(
  { timeoutMs, signals, groups }: { timeoutMs: number; signals: AbortSignal[]; groups: AbortGroups },
  work: Work,
): Promise<CallbackOutcome> {
  if (signals.some(({ aborted }) => aborted))
    return Promise.resolve(failed('ABORTED', 'given up before it began'));
  return new Promise((resolve) => {
    let isSettled = false;
    let timer: NodeJS.Timeout | undefined;

    function settle(outcome: CallbackOutcome): void {
      if (isSettled) return;
      isSettled = true;
      clearTimeout(timer);
      for (const signal of signals) groups.leave(signal, onAbort);
      resolve(outcome);
    }
    function onDeadline(): void {
      if (!isSettled) settle(interrupt('TIMEOUT', `after ${timeoutMs} ms`));
    }
    function onAbort(): void {
      if (!isSettled) settle(interrupt('ABORTED', 'given up'));
    }

    const interrupt = work(settle);
    if (isSettled) return;
    // After a stall of the event loop timers run before sockets are read: a reply that came in time is read first.
    timer = setTimeout(() => setImmediate(onDeadline), timeoutMs);
    for (const signal of signals) groups.join(signal, onAbort);
  });
}
