// A command as a process: terminal, signals, output and exit code.
import { describeError } from '../../infra/error-text.ts';
import type { Command, CommandName, WriteOutput } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { createProgressLine } from './terminal/progress-line.ts';
import { createWriter } from './terminal/write-output.ts';

/** Runs the command with the arguments of this process, and ends the process. */
export async function runCommandProcess(name: CommandName, command: Command): Promise<never> {
  const { stdout, stderr, env, argv } = process;
  const progress = createProgressLine(stderr, env);
  const writers = { stdout: createWriter(stdout), stderr: createWriter(stderr) };
  const write: WriteOutput = (to, text) => {
    progress.clear();
    return writers[to](text);
  };

  function endBySignal(exitCode: number): void {
    progress.stop();
    process.exit(exitCode);
  }
  process.once('SIGINT', () => endBySignal(exitCodes.interrupted));
  process.once('SIGTERM', () => endBySignal(exitCodes.terminated));

  const isTerminal = stdout.isTTY === true;
  const isPlain = !isTerminal || env.TERM === 'dumb' || Boolean(env.NO_COLOR);
  // A terminal that does not know its size says 0.
  const width = (isTerminal && stdout.columns) || undefined;
  const output = { isTerminal, width, hasColour: !isPlain };

  try {
    const result = await command(argv.slice(2), { env, output, progress, write });
    await write('stderr', result.stderr);
    await write('stdout', result.stdout);
    process.exit(result.exitCode);
  } catch (error) {
    progress.stop();
    await write('stderr', `${name}: INTERNAL: ${describeError(error)}\n`);
    process.exit(exitCodes.callFailed);
  }
}
