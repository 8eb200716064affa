// A command within this process, with nothing of a developer's settings: what it prints, without the cost of a process.
import { tmpdir } from 'node:os';
import type { RunResult } from '../../../infra/local-stack/run-program.ts';
import type { Command, OutputForm } from '../../../services/cli/command.ts';
import type { CliEnvironment } from './run-cli.ts';

export type CommandRunner = {
  /** Runs it with outputs that are no terminals. */
  run(args: string[], env: CliEnvironment): Promise<RunResult>;
  /** Runs it for a terminal of so many columns that has colours. */
  runForTerminal(args: string[], env: CliEnvironment, width: number): Promise<RunResult>;
};

const noProgress = { start: () => undefined, clear: () => undefined, stop: () => undefined };

export function createCommandRunner(command: Command): CommandRunner {
  async function runFor(output: OutputForm, args: string[], env: CliEnvironment): Promise<RunResult> {
    const written = { stdout: '', stderr: '' };
    const { exitCode, stdout, stderr } = await command(args, {
      // Of the folder for temporary files nobody makes a data folder: no local stack is found there.
      env: { DATA_DIR: tmpdir(), ...env },
      output,
      progress: noProgress,
      async write(to, text) {
        written[to] += text;
      },
    });
    return { exitCode, stdout: written.stdout + stdout, stderr: written.stderr + stderr };
  }

  return {
    run: (args, env) => runFor({ isTerminal: false, width: undefined, hasColour: false }, args, env),
    runForTerminal: (args, env, width) => runFor({ isTerminal: true, width, hasColour: true }, args, env),
  };
}
