// The command line → which results or slots of the past to show, or every fault in it. Pure.
import type { RpcInput } from '../../../contracts/rpc.ts';
import { taskResultGetRequestSchema } from '../../../contracts/task-result.ts';
import { taskSlotGetRequestSchema } from '../../../contracts/task-slot.ts';
import {
  type CommandLine,
  commonOptions,
  findContractFaults,
  findRepeated,
  parseCommandLine,
  quote,
} from '../parse-options.ts';
import { findIdFaults, findLimitFaults, findSurplusIds } from './task-argument-faults.ts';

export type ResultFilter = Omit<RpcInput<'taskResultGet'>, 'limit' | 'cursor'>;
export type SlotFilter = Omit<RpcInput<'taskSlotGet'>, 'limit' | 'cursor'>;

export const defaultHistoryLimit = 50;

// All of them take several values, so that a second one where one is meant is noticed.
export const slotOptions = {
  from: { type: 'string', multiple: true },
  to: { type: 'string', multiple: true },
  limit: { type: 'string', multiple: true },
  ...commonOptions,
} as const;

export const resultOptions = {
  ...slotOptions,
  agent: { type: 'string', multiple: true },
  domain: { type: 'string', multiple: true },
  status: { type: 'string', multiple: true },
} as const;

/** The options of fields that the contract alone judges. */
const optionOf = new Map<PropertyKey, string>([
  ['agent_id', '--agent'],
  ['domain', '--domain'],
  ['status', '--status'],
]);

/** The arguments behind `results`. */
export function parseTaskResults(
  args: readonly string[],
): CommandLine<{ kind: 'results'; filter: ResultFilter; limit: number }> {
  return parseCommandLine(args, resultOptions, ({ values, positionals }) => {
    const { agent = [], domain = [], status = [], from = [], to = [], limit = [] } = values;
    const filter: ResultFilter = {
      ...buildSpan({ positionals, from, to }),
      ...(agent[0] === undefined ? {} : { agent_id: agent[0] }),
      ...(domain[0] === undefined ? {} : { domain: domain[0] }),
      ...(status[0] === undefined ? {} : { status: status[0] }),
    };
    const faults = [
      ...findSpanFaults({ positionals, from, to, limit }),
      ...findRepeated({ '--agent': agent, '--domain': domain, '--status': status }),
      ...findContractFaults(taskResultGetRequestSchema, filter, (path) => nameField(path, filter)),
    ];
    return { request: { kind: 'results', filter, limit: readLimit(limit) }, faults };
  });
}

/** The arguments behind `slots`. */
export function parseTaskSlots(
  args: readonly string[],
): CommandLine<{ kind: 'slots'; filter: SlotFilter; limit: number }> {
  return parseCommandLine(args, slotOptions, ({ values, positionals }) => {
    const { from = [], to = [], limit = [] } = values;
    const filter: SlotFilter = buildSpan({ positionals, from, to });
    const faults = [
      ...findSpanFaults({ positionals, from, to, limit }),
      ...findContractFaults(taskSlotGetRequestSchema, filter, (path) => nameField(path, filter)),
    ];
    return { request: { kind: 'slots', filter, limit: readLimit(limit) }, faults };
  });
}

/** What results and slots are chosen by, as it was given. */
type GivenSpan = { positionals: string[]; from: string[]; to: string[]; limit: string[] };

function buildSpan({ positionals, from, to }: Omit<GivenSpan, 'limit'>): SlotFilter {
  const [taskId] = positionals;
  return {
    ...(taskId === undefined ? {} : { task_id: taskId }),
    ...(from[0] === undefined ? {} : { from: parseMoment(from[0]) }),
    ...(to[0] === undefined ? {} : { to: parseMoment(to[0]) }),
  };
}

/** Unix seconds are numbers, the rest is left to the contract. */
function parseMoment(text: string): number | string {
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function findSpanFaults({ positionals, from, to, limit }: GivenSpan): string[] {
  return [
    ...findIdFaults(positionals),
    ...findSurplusIds(positionals),
    ...findRepeated({ '--from': from, '--to': to }),
    ...findMomentFaults('--from', from),
    ...findMomentFaults('--to', to),
    ...findLimitFaults(limit),
  ];
}

function findMomentFaults(option: string, texts: string[]): string[] {
  return texts
    .filter((text) => !taskSlotGetRequestSchema.shape.from.safeParse(parseMoment(text)).success)
    .map((text) => `${option} ${quote(text)}: expected Unix seconds or ISO 8601 as in 2026-01-31T08:00:00Z`);
}

function readLimit([limit]: string[]): number {
  return limit === undefined ? defaultHistoryLimit : Number(limit);
}

/** The argument that a fault of this field comes from; undefined where `findSpanFaults` names it. */
function nameField([field = '']: readonly PropertyKey[], filter: ResultFilter): string | undefined {
  const option = optionOf.get(field);
  const given = new Map<PropertyKey, unknown>(Object.entries(filter)).get(field);
  return option && `${option} ${quote(String(given))}`;
}
