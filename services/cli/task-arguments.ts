// The command line → what the task command is to do, or every fault in it. Pure.
import { findLimitFaults, findMissingIds, findSurplusIds } from './argument-faults.ts';
import { asksForJson, type CommandLine, commonOptions, parseCommandLine, quote } from './parse-options.ts';
import { parseTaskCreate, type TaskInput } from './task-create-arguments.ts';
import {
  parseTaskResults,
  parseTaskSlots,
  type ResultFilter,
  type SlotFilter,
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

type Parse = (args: readonly string[]) => CommandLine<TaskRequest>;

const commands: Record<string, Parse> = {
  list: parseList,
  show: parseShow,
  create: parseTaskCreate,
  pause: (args) => parseChange('pause', args),
  resume: (args) => parseChange('resume', args),
  delete: (args) => parseChange('delete', args),
  results: parseTaskResults,
  slots: parseTaskSlots,
};

/** Parses and checks the arguments (without program and script) against the contract's schemas. */
export function parseTaskArguments(args: readonly string[]): CommandLine<TaskRequest> {
  const [name = '', ...rest] = args;
  const parse = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (parse !== undefined) return parse(rest);
  if (name === '--help' || name === '-h' || name === 'help') return { kind: 'help' };
  const known = `expected ${Object.keys(commands).join(', ')}`;
  const fault = args.length === 0 ? `COMMAND is missing: ${known}` : `COMMAND ${quote(name)}: ${known}`;
  return { kind: 'faults', faults: [fault], isJson: asksForJson(args) };
}

const listOptions = {
  paused: { type: 'boolean' },
  enabled: { type: 'boolean' },
  limit: { type: 'string', multiple: true },
  ...commonOptions,
} as const;

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
