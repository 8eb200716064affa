// Signals for a program together with all that it started.
import { systemErrorCode } from '../error-text.ts';

/** Signals the process group that the pid leads; nothing happens when all of it is gone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
}
