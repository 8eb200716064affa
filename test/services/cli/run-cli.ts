// A command as a process of its own, with nothing of a developer's settings.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { repositoryFolder } from '../../../infra/local-stack/data-folder.ts';
import { type RunResult, runProgram } from '../../../infra/local-stack/run-program.ts';

const timeoutMs = 15_000;

export type CliEnvironment = Record<string, string>;

export type CliRunner = {
  /** Runs it to its end; neither of its outputs is a terminal. */
  run(args: string[], env: CliEnvironment): Promise<RunResult>;
  /** Runs it on a terminal; `stdout` is all that it wrote there, in order. */
  runOnTerminal(args: string[], env: CliEnvironment, columns?: number): Promise<RunResult>;
  /** Runs it in a pipe to a program that reads nothing; `stdout` is its exit code. */
  runWithoutReader(args: string[], env: CliEnvironment): Promise<RunResult>;
  /** Starts it and leaves it running. */
  start(args: string[], env: CliEnvironment): ChildProcessByStdio<null, Readable, Readable>;
};

/** Of `services/cli/<name>-main.ts`. */
export function createCliRunner(name: 'probe' | 'task'): CliRunner {
  const script = join(repositoryFolder, `services/cli/${name}-main.ts`);
  const shellCommand = (args: string[]) =>
    [process.execPath, script, ...args].map((word) => `'${word}'`).join(' ');

  return {
    run: (args, env) =>
      runProgram(process.execPath, [script, ...args], { env: plainEnvironment(env), timeoutMs }),
    runOnTerminal(args, env, columns = 100) {
      const command = `stty cols ${columns} rows 30; exec ${shellCommand(args)}`;
      return runProgram('script', ['-qec', command, '/dev/null'], {
        env: plainEnvironment({ TERM: 'xterm', ...env }),
        timeoutMs,
      });
    },
    runWithoutReader: (args, env) =>
      runProgram('bash', ['-c', `${shellCommand(args)} | true; echo "\${PIPESTATUS[0]}"`], {
        env: plainEnvironment(env),
        timeoutMs,
      }),
    start: (args, env) =>
      spawn(process.execPath, [script, ...args], {
        env: plainEnvironment(env),
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
  };
}

function plainEnvironment(env: CliEnvironment): CliEnvironment {
  // Of the folder for temporary files nobody makes a data folder: no local stack is found there.
  return { PATH: process.env.PATH ?? '', DATA_DIR: tmpdir(), ...env };
}
