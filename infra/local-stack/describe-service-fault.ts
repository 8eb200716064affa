// Why a service ended or did not get ready, as one line for people.
import { findLastWords, findWaitingReason } from './last-words.ts';
import type { Readiness } from './readiness.ts';
import type { ChildExit } from './start-child.ts';

type Failed = {
  name: string;
  logFile: string;
  /** What it has printed since its start. */
  output: string;
};

/** `agent ended (exit code 1): AGENT_ID: is missing`; names the log where the service gave no reason. */
export function describeEnd({ name, logFile, output, exit }: Failed & { exit: ChildExit }): string {
  const { exitCode, signal } = exit;
  // Who is killed has no time to say why, and a graceful end has no fault: what stands in the log is of another matter.
  const words = signal === 'SIGKILL' || exitCode === 0 ? '' : findLastWords(output);
  return `${name} ended (${signal ?? `exit code ${exitCode}`})${words === '' ? `, see ${logFile}` : `: ${words}`}`;
}

/** `agent is not ready after 30 s (bus, orders): waiting for the bus: connection refused`. */
export function describeUnready({
  name,
  logFile,
  output,
  waitedMs,
  readiness,
}: Failed & { waitedMs: number; readiness: Readiness }): string {
  const failing = readiness.kind === 'not ready' ? readiness.failedChecks.join(', ') : 'no answer on /readyz';
  const reason = findWaitingReason(output);
  const why = reason === '' ? `, see ${logFile}` : `: ${reason}`;
  return `${name} is not ready after ${waitedMs / 1000} s (${failing})${why}`;
}
