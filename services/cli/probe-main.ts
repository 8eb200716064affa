// `npm run probe` as a process: terminal, signals, output and exit code.
import { describeError } from '../../infra/error-text.ts';
import { exitCodes } from './exit-codes.ts';
import { createProgressLine } from './progress-line.ts';
import { type CommandResult, runCommand } from './run-command.ts';
import { writeOutput } from './write-output.ts';

const { stdout, stderr, env, argv } = process;
const progress = createProgressLine(stderr, env);

function endBySignal(exitCode: number): void {
  progress.stop();
  process.exit(exitCode);
}
process.once('SIGINT', () => endBySignal(exitCodes.interrupted));
process.once('SIGTERM', () => endBySignal(exitCodes.terminated));

async function run(): Promise<CommandResult> {
  const isTerminal = stdout.isTTY === true;
  const isPlain = !isTerminal || env.TERM === 'dumb' || Boolean(env.NO_COLOR);
  // A terminal that does not know its size says 0.
  const width = (isTerminal && stdout.columns) || undefined;
  return runCommand(argv.slice(2), { env, output: { isTerminal, width, hasColour: !isPlain }, progress });
}

try {
  const result = await run();
  await writeOutput(stderr, result.stderr);
  await writeOutput(stdout, result.stdout);
  process.exit(result.exitCode);
} catch (error) {
  progress.stop();
  await writeOutput(stderr, `probe: INTERNAL: ${describeError(error)}\n`);
  process.exit(exitCodes.callFailed);
}
