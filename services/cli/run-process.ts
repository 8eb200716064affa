// A command as a process: terminal, signals, output and exit code.
import { describeError } from '../../infra/error-text.ts';
import type { Command, CommandName } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { createProgressLine } from './progress-line.ts';
import { writeOutput } from './write-output.ts';

/** Runs the command with the arguments of this process, and ends the process. */
export async function runProcess(name: CommandName, command: Command): Promise<never> {
  const { stdout, stderr, env, argv } = process;
  const progress = createProgressLine(stderr, env);

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
    const result = await command(argv.slice(2), { env, output, progress });
    await writeOutput(stderr, result.stderr);
    await writeOutput(stdout, result.stdout);
    process.exit(result.exitCode);
  } catch (error) {
    progress.stop();
    await writeOutput(stderr, `${name}: INTERNAL: ${describeError(error)}\n`);
    process.exit(exitCodes.callFailed);
  }
}
