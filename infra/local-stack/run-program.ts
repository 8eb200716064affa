// Runs a program to its end, with an argument array and a bound in time.

import { spawn } from 'node:child_process';
import { describeError } from '../error-text.ts';
import { signalGroup } from './process-group.ts';
import { StackError } from './stack-error.ts';

export type RunOptions = {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  uid?: number;
  gid?: number;
  /** The program is killed after so many milliseconds (default: ten minutes). */
  timeoutMs?: number;
  /** Ends the program, with all that it started, when aborted. */
  signal?: AbortSignal | undefined;
};

export type RunResult = { exitCode: number | null; stdout: string; stderr: string };

// Installers can be talkative; the end of their output is the part that says what went wrong.
const maxOutputChars = 200_000;
const defaultTimeoutMs = 600_000;

/**
 * Runs `program` and returns its exit code (null: ended by a signal) and output, whatever the code.
 * Rejects with `PROGRAM_FAILED` only when it cannot be started at all.
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { timeoutMs = defaultTimeoutMs, signal, ...spawnOptions } = options;
  return new Promise((resolve, reject) => {
    // A group of its own: Ctrl-C reaches the caller alone, which then ends the group through `signal`.
    const child = spawn(program, args, {
      ...spawnOptions,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const result: RunResult = { exitCode: null, stdout: '', stderr: '' };
    const endGroup = (): void => {
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    };
    const timer = setTimeout(endGroup, timeoutMs);
    const settle = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', endGroup);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      result.stdout = (result.stdout + text).slice(-maxOutputChars);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      result.stderr = (result.stderr + text).slice(-maxOutputChars);
    });
    child.once('error', (error) => {
      settle();
      const message = `cannot run ${program}: ${describeError(error)}`;
      reject(new StackError('PROGRAM_FAILED', message, { cause: error }));
    });
    child.once('close', (exitCode) => {
      settle();
      resolve({ ...result, exitCode });
    });
    if (signal?.aborted) endGroup();
    else signal?.addEventListener('abort', endGroup, { once: true });
  });
}

/** Like `runProgram`, but any end other than exit code 0 rejects with `PROGRAM_FAILED` and the last output line. */
export async function runProgramOrThrow(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const result = await runProgram(program, args, options);
  if (result.exitCode === 0) return result;
  const how = result.exitCode === null ? 'was killed' : `ended with exit code ${result.exitCode}`;
  const said = lastLine(result.stderr) || lastLine(result.stdout);
  throw new StackError('PROGRAM_FAILED', `${program} ${args[0] ?? ''} ${how}${said ? `: ${said}` : ''}`);
}

/** The last line of a text that is not blank, or an empty string. */
export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)?.trim() ?? '';
}
