// The command as a process of its own, with nothing of a developer's settings.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { repositoryFolder } from '../../../infra/local-stack/data-folder.ts';
import { type RunResult, runProgram } from '../../../infra/local-stack/run-program.ts';

const script = join(repositoryFolder, 'services/cli/probe-main.ts');
const timeoutMs = 15_000;

export type ProbeEnvironment = Record<string, string>;

/** Runs it to its end; neither of its outputs is a terminal. */
export function runProbe(args: string[], env: ProbeEnvironment): Promise<RunResult> {
  return runProgram(process.execPath, [script, ...args], { env: plainEnvironment(env), timeoutMs });
}

/** Runs it on a terminal; `stdout` is all that it wrote there, in order. */
export function runProbeOnTerminal(args: string[], env: ProbeEnvironment, columns = 100): Promise<RunResult> {
  const command = `stty cols ${columns} rows 30; exec ${shellCommand(args)}`;
  return runProgram('script', ['-qec', command, '/dev/null'], {
    env: plainEnvironment({ TERM: 'xterm', ...env }),
    timeoutMs,
  });
}

/** Runs it in a pipe to a program that reads nothing; `stdout` is its exit code. */
export function runProbeWithoutReader(args: string[], env: ProbeEnvironment): Promise<RunResult> {
  return runProgram('bash', ['-c', `${shellCommand(args)} | true; echo "\${PIPESTATUS[0]}"`], {
    env: plainEnvironment(env),
    timeoutMs,
  });
}

/** Starts it and leaves it running. */
export function startProbe(
  args: string[],
  env: ProbeEnvironment,
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [script, ...args], {
    env: plainEnvironment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function plainEnvironment(env: ProbeEnvironment): ProbeEnvironment {
  // Of the folder for temporary files nobody makes a data folder: no local stack is found there.
  return { PATH: process.env.PATH ?? '', DATA_DIR: tmpdir(), ...env };
}

function shellCommand(args: string[]): string {
  return [process.execPath, script, ...args].map((word) => `'${word}'`).join(' ');
}
