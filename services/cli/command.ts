// What a command takes and gives, and how it tells of faults and failures.
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { BusConfig } from '../../infra/bus/nats-bus.ts';
import { ConfigError } from '../../infra/config.ts';
import type { FailedCall } from './call-bus.ts';
import { exitCodes } from './exit-codes.ts';
import { findBus } from './find-bus.ts';
import { formatErrorJson } from './format-json.ts';
import { printable } from './printable-text.ts';
import type { ProgressLine } from './progress-line.ts';
import type { TableOptions } from './render-table.ts';

/** The npm script that runs it. */
export type CommandName = 'probe' | 'task';

/** What becomes of an answer: a table, or JSON, indented where a person reads it. */
export type OutputForm = TableOptions & { isTerminal: boolean };

export type CommandResult = { exitCode: number; stdout: string; stderr: string };

export type CommandOptions = { env: NodeJS.ProcessEnv; output: OutputForm; progress: ProgressLine };

/** Runs with `args` (without program and script). Writes nothing but the progress. */
export type Command = (args: readonly string[], options: CommandOptions) => Promise<CommandResult>;

/** Faults of the arguments or of the environment: one line each and a hint, or an error envelope. */
export function reportFaults(
  name: CommandName,
  faults: string[],
  isJson: boolean,
  { isTerminal }: OutputForm,
): CommandResult {
  const exitCode = exitCodes.usage;
  if (!isJson) {
    const lines = [...faults.map((fault) => `${name}: ${fault}`), `try: npm run ${name} -- --help`];
    return { exitCode, stdout: '', stderr: `${lines.join('\n')}\n` };
  }
  const error = new ProbeTaskError('INVALID_REQUEST', faults.join('; '), { faults, total: faults.length });
  return { exitCode, stdout: formatErrorJson(error, new Uint8Array(), isTerminal), stderr: '' };
}

/** A call that failed: one line with code and message, or its error envelope. */
export function reportFailure(
  name: CommandName,
  { error, reply }: FailedCall,
  isJson: boolean,
  { isTerminal }: OutputForm,
): CommandResult {
  const exitCode = exitCodes.callFailed;
  if (isJson) return { exitCode, stdout: formatErrorJson(error, reply, isTerminal), stderr: '' };
  return { exitCode, stdout: '', stderr: `${name}: ${error.code}: ${printable(error.message)}\n` };
}

/** Where the bus is, or what is wrong with the environment, one line per fault. */
export async function findBusOrFaults(
  env: NodeJS.ProcessEnv,
): Promise<{ config: BusConfig } | { faults: string[] }> {
  try {
    return { config: await findBus(env) };
  } catch (error) {
    if (error instanceof ConfigError) return { faults: error.faults };
    throw error;
  }
}
