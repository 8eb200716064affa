// A command from its arguments to what it prints: parse → find the bus → call → table or JSON.
import type { ParseArgsOptionsConfig } from 'node:util';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { BusConfig } from '../../infra/bus/nats-bus.ts';
import { ConfigError } from '../../infra/config.ts';
import { type Caller, callBus, FailedCall, type Waiting } from './call-bus.ts';
import type { CommandName, CommandOptions, CommandResult, OutputForm, WriteOutput } from './command.ts';
import { exitCodes } from './exit-codes.ts';
import { findBus } from './find-bus.ts';
import { formatErrorJson } from './format-json.ts';
import { findTakenOptions } from './npm-options.ts';
import type { CommandLine } from './parse-options.ts';
import { printable } from './terminal/printable-text.ts';

export type CommandParts<Request> = {
  name: CommandName;
  help: string;
  /** All that `parse` knows, of whichever subcommand. */
  options: ParseArgsOptionsConfig;
  parse(args: readonly string[]): CommandLine<Request>;
  /** What the progress says while the request is carried out. */
  waiting(request: Request): Waiting;
  /** Throws `FailedCall`. */
  carryOut(request: Request, session: Session): Promise<CommandResult>;
};

/** What a request is carried out with. */
export type Session = { caller: Caller; isJson: boolean; output: OutputForm; write: WriteOutput };

/** Faults and failures are results too; what else is thrown is a bug. */
export async function runCommand<Request>(
  { name, help, options, parse, waiting, carryOut }: CommandParts<Request>,
  args: readonly string[],
  { env, output, progress, write }: CommandOptions,
): Promise<CommandResult> {
  const taken = findTakenOptions(name, options, env);
  if (taken.length > 0) return reportFaults(name, taken, false, output);
  const parsed = parse(args);
  if (parsed.kind === 'help') return { exitCode: exitCodes.done, stdout: help, stderr: '' };
  if (parsed.kind === 'faults') return reportFaults(name, parsed.faults, parsed.isJson, output);

  const { request, isJson } = parsed;
  const bus = await findBusOrFaults(env);
  if ('faults' in bus) return reportFaults(name, bus.faults, isJson, output);
  try {
    return await callBus({ config: bus.config, progress, waiting: waiting(request) }, (caller) =>
      carryOut(request, { caller, isJson, output, write }),
    );
  } catch (error) {
    if (error instanceof FailedCall) return reportFailure(name, error, isJson, output);
    throw error;
  }
}

/** Where the bus is, or what is wrong with the environment, one line per fault. */
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
