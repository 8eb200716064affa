// Work beside the start of the stack, which goes on without it where it fails or takes too long.
import { describeError } from '../error-text.ts';
import { waitAtMost } from '../wait-at-most.ts';
import { abandonOnAbort } from './abandon-on-abort.ts';

export type SideWork = {
  /** Waits for its end, `limitMs` at the most, and says so when it is left to itself then. */
  settle(limitMs: number): Promise<void>;
  /** Waits for the end of what the signal has asked to end, and says so where that takes time; not when it is forced. */
  stop(options: { isForced: boolean }): Promise<void>;
};

export type SideWorkOptions = {
  /** Takes one line for people: why the work failed, or that it is late. */
  report: (line: string) => void;
  signal: AbortSignal;
};

const silentWaitMs = 500;

export function startSideWork(work: Promise<void>, { report, signal }: SideWorkOptions): SideWork {
  let isOver = false;
  let isLate = false;
  const ended = work
    .then(
      () => {
        if (isLate) report('installed');
      },
      (error: unknown) => {
        if (!signal.aborted) report(describeError(error));
      },
    )
    .finally(() => {
      isOver = true;
    });

  return {
    async settle(limitMs) {
      await abandonOnAbort(waitAtMost(ended, limitMs), signal);
      if (isOver) return;
      isLate = true;
      report('not installed yet: the rest is ready without it');
    },
    async stop({ isForced }) {
      if (isForced) return;
      await waitAtMost(ended, silentWaitMs);
      if (!isOver) report('waiting for the end of an installation that must not be cut short …');
      await ended;
    },
  };
}
