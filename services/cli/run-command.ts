// The command from its arguments to what it prints: parse → find the bus → ask → table or JSON.
import { ProbeTaskError } from '../../contracts/errors.ts';
import { defaultRespTimeoutS } from '../../contracts/probe.ts';
import type { BusConfig } from '../../infra/bus/nats-bus.ts';
import { ConfigError } from '../../infra/config.ts';
import { askProbe, type ProbeAnswer } from './ask-probe.ts';
import { exitCodes } from './exit-codes.ts';
import { findBus } from './find-bus.ts';
import { formatErrorJson, formatReplyJson } from './format-json.ts';
import { helpText, usageHint } from './help-text.ts';
import { printable } from './printable-text.ts';
import { parseProbeArguments } from './probe-arguments.ts';
import type { ProgressLine } from './progress-line.ts';
import { renderTable, type TableOptions } from './render-table.ts';
import { isFailedCell } from './summarize-cells.ts';

/** What becomes of an answer: a table, or JSON, indented where a person reads it. */
export type OutputForm = TableOptions & { isTerminal: boolean };

export type CommandResult = { exitCode: number; stdout: string; stderr: string };

/** Runs the command with `args` (without program and script). Writes nothing but the progress. */
export async function runCommand(
  args: readonly string[],
  options: { env: NodeJS.ProcessEnv; output: OutputForm; progress: ProgressLine },
): Promise<CommandResult> {
  const { env, output, progress } = options;
  const parsed = parseProbeArguments(args);
  if (parsed.kind === 'help') return { exitCode: exitCodes.answered, stdout: helpText, stderr: '' };
  if (parsed.kind === 'faults') return formatFaults(parsed.faults, parsed.isJson, output);

  const { request, isJson } = parsed;
  const bus = await findBusOrFaults(env);
  if ('faults' in bus) return formatFaults(bus.faults, isJson, output);
  progress.start('probing', request.resp_timeout ?? defaultRespTimeoutS);
  const answer = await askProbe(bus.config, request);
  progress.stop();
  return isJson ? formatAsJson(answer, output) : formatForPeople(answer, output);
}

async function findBusOrFaults(
  env: NodeJS.ProcessEnv,
): Promise<{ config: BusConfig } | { faults: string[] }> {
  try {
    return { config: await findBus(env) };
  } catch (error) {
    if (error instanceof ConfigError) return { faults: error.faults };
    throw error;
  }
}

function formatFaults(faults: string[], isJson: boolean, { isTerminal }: OutputForm): CommandResult {
  const exitCode = exitCodes.usage;
  if (!isJson) {
    const lines = [...faults.map((fault) => `probe: ${fault}`), usageHint];
    return { exitCode, stdout: '', stderr: `${lines.join('\n')}\n` };
  }
  const error = new ProbeTaskError('INVALID_REQUEST', faults.join('; '), { faults, total: faults.length });
  return { exitCode, stdout: formatErrorJson(error, new Uint8Array(), isTerminal), stderr: '' };
}

function formatAsJson(answer: ProbeAnswer, { isTerminal }: OutputForm): CommandResult {
  const stdout =
    answer.kind === 'error'
      ? formatErrorJson(answer.error, answer.body, isTerminal)
      : formatReplyJson(answer.body, isTerminal);
  return { exitCode: exitCodeOf(answer), stdout, stderr: '' };
}

function formatForPeople(answer: ProbeAnswer, output: OutputForm): CommandResult {
  const exitCode = exitCodeOf(answer);
  if (answer.kind === 'reply') return { exitCode, stdout: renderTable(answer.rows, output), stderr: '' };
  const { code, message } = answer.error;
  return { exitCode, stdout: '', stderr: `probe: ${code}: ${printable(message)}\n` };
}

function exitCodeOf(answer: ProbeAnswer): number {
  if (answer.kind === 'error') return exitCodes.callFailed;
  return answer.rows.some(isFailedCell) ? exitCodes.cellFailed : exitCodes.answered;
}
