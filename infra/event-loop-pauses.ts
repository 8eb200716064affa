// Work on thousands of items gives the event loop back from time to time: callbacks of this process are due meanwhile.
import { setImmediate } from 'node:timers/promises';

export type EventLoopPauses = {
  isDue(): boolean;
  /** Resolves when everything else that was ready has had its turn. */
  take(): Promise<void>;
};

const defaultWorkMs = 5;

/** A pause is due after every `workMs` of work. */
export function createEventLoopPauses(workMs = defaultWorkMs): EventLoopPauses {
  let dueAt = performance.now() + workMs;
  return {
    isDue: () => performance.now() >= dueAt,
    async take() {
      await setImmediate();
      dueAt = performance.now() + workMs;
    },
  };
}
