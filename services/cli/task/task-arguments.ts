// The command line → what the task command is to do, or every fault in it. Pure.
import type { ParseArgsOptionsConfig } from 'node:util';
import { asksForJson, type CommandLine, commonOptions, parseCommandLine, quote } from '../parse-options.ts';
import { findLimitFaults, findMissingIds, findSurplusIds } from './task-argument-faults.ts';
import { createOptions, parseTaskCreate, type TaskInput } from './task-create-arguments.ts';
import {
  parseTaskResults,
  parseTaskSlots,
  type ResultFilter,
  resultOptions,
  type SlotFilter,
  slotOptions,
} from './task-history-arguments.ts';

/** `limit` undefined: all there are. */
export type TaskRequest =
  | { kind: 'list'; status: 0 | 1 | undefined; limit: number | undefined }
  | { kind: 'show'; taskId: string }
  | { kind: 'create'; task: TaskInput }
  | { kind: 'change'; change: TaskChange; taskIds: string[] }
  | { kind: 'results'; filter: ResultFilter; limit: number }
  | { kind: 'slots'; filter: SlotFilter; limit: number };

export type TaskChange = 'pause' | 'resume' | 'delete';

type Subcommand = {
  options: ParseArgsOptionsConfig;
  parse(args: readonly string[]): CommandLine<TaskRequest>;
};

const listOptions = {
  paused: { type: 'boolean' },
  enabled: { type: 'boolean' },
  limit: { type: 'string', multiple: true },
  ...commonOptions,
} as const;

const subcommands: Record<string, Subcommand> = {
  list: { options: listOptions, parse: parseList },
  show: { options: commonOptions, parse: parseShow },
  create: { options: createOptions, parse: parseTaskCreate },
  pause: { options: commonOptions, parse: (args) => parseChange('pause', args) },
  resume: { options: commonOptions, parse: (args) => parseChange('resume', args) },
  delete: { options: commonOptions, parse: (args) => parseChange('delete', args) },
  results: { options: resultOptions, parse: parseTaskResults },
  slots: { options: slotOptions, parse: parseTaskSlots },
};

/** Those of all subcommands. */
export const taskOptions: ParseArgsOptionsConfig = Object.fromEntries(
  Object.values(subcommands).flatMap(({ options }) => Object.entries(options)),
);

/** Parses and checks the arguments (without program and script) against the contract's schemas. */
export function parseTaskArguments(args: readonly string[]): CommandLine<TaskRequest> {
  const [name = '', ...rest] = args;
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined;
  if (subcommand !== undefined) return subcommand.parse(rest);
  if (name === '--help' || name === '-h' || name === 'help') return { kind: 'help' };
  const known = `expected ${Object.keys(subcommands).join(', ')}`;
  const fault = args.length === 0 ? `COMMAND is missing: ${known}` : `COMMAND ${quote(name)}: ${known}`;
  return { kind: 'faults', faults: [fault], isJson: asksForJson(args) };
}

function parseList(args: readonly string[]): CommandLine<TaskRequest> {
  return parseCommandLine(args, listOptions, ({ values, positionals }) => {
    const { paused, enabled, limit: limits = [] } = values;
    const faults = [
      ...positionals.map((word) => `${quote(word)}: list takes options only`),
      ...(paused && enabled ? ['--paused and --enabled: expected one of them at most'] : []),
      ...findLimitFaults(limits),
    ];
    const status = paused ? 0 : enabled ? 1 : undefined;
    const [limit] = limits;
    const count = limit === undefined ? undefined : Number(limit);
    return { request: { kind: 'list', status, limit: count }, faults };
  });
}

function parseShow(args: readonly string[]): CommandLine<TaskRequest> {
  return parseCommandLine(args, commonOptions, ({ positionals }) => {
    const [taskId = ''] = positionals;
    const faults = [...findMissingIds(positionals), ...findSurplusIds(positionals)];
    return { request: { kind: 'show', taskId }, faults };
  });
}

function parseChange(change: TaskChange, args: readonly string[]): CommandLine<TaskRequest> {
  return parseCommandLine(args, commonOptions, ({ positionals }) => ({
    request: { kind: 'change', change, taskIds: [...new Set(positionals)] },
    faults: findMissingIds(positionals),
  }));
}
