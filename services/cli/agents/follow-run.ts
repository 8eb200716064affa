// Looks after a run until it is over, and says of each node when it is done.
import { setTimeout as pause } from 'node:timers/promises';
import type { DispatchTaskState } from '../../../contracts/dispatch.ts';
import type { ErrorCode } from '../../../contracts/errors.ts';
import { FailedCall } from '../call-bus.ts';
import { printable } from '../terminal/printable-text.ts';
import type { DispatchCaller } from './call-dispatch.ts';
import { isRunOver, readOutcomes } from './read-run.ts';

const firstPauseMs = 200;
const longestPauseMs = 2000;
/** The service may be replaced meanwhile: the run goes on without this command. */
const maxFailures = 15;
const passing = new Set<ErrorCode>(['UNAVAILABLE', 'INTERNAL', 'OVERLOADED']);

/** Resolves with its last state. Throws `FailedCall` when the service stays away. */
export async function followRun(
  id: number,
  caller: Pick<DispatchCaller, 'check'>,
  report: (line: string) => Promise<void>,
): Promise<DispatchTaskState> {
  const told = new Set<string>();
  let failures = 0;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
    const state = await caller.check(id).catch((error: unknown) => {
      failures += 1;
      if (!(error instanceof FailedCall) || !passing.has(error.error.code) || failures > maxFailures)
        throw error;
      return undefined;
    });
    if (state !== undefined) {
      failures = 0;
      for (const { node, isOver, result, hasFailed } of readOutcomes(state)) {
        if (!isOver || told.has(node)) continue;
        told.add(node);
        await report(`${printable(node)} ${hasFailed ? result : 'done'}\n`);
      }
      if (isRunOver(state.status)) return state;
    }
    await pause(pauseMs);
  }
}
