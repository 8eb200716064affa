// The command line → the request of one `probe.task.create`, or every fault in it. Pure.
import type { RpcInput } from '../../../contracts/rpc.ts';
import { taskCreateRequestSchema } from '../../../contracts/task.ts';
import {
  type CommandLine,
  commonOptions,
  findContractFaults,
  findRepeated,
  parseCommandLine,
  quote,
  wholeNumber,
} from '../parse-options.ts';
import {
  buildSelection,
  buildTargets,
  findTargetFaults,
  type GivenTargets,
  nameTargetArgument,
  targetOptions,
  typesOrA,
} from '../target-options.ts';

export type TaskInput = RpcInput<'taskCreate'>;

/** The texts as they were given, by which faults are named. */
type Given = GivenTargets & {
  domainGroups: string[];
  cycles: string[];
  serviceTypes: string[];
  windows: string[];
  keys: string[];
  isPaused: boolean;
};

export const createOptions = {
  ...targetOptions,
  'domain-group': { type: 'string', multiple: true },
  cycle: { type: 'string', short: 'c', multiple: true },
  'service-type': { type: 'string', multiple: true },
  window: { type: 'string', multiple: true },
  'idempotency-key': { type: 'string', multiple: true },
  paused: { type: 'boolean' },
  ...commonOptions,
} as const;

export const defaultCycleS = 60;

const digits = /^\d+$/;

/** The arguments behind `create`. */
export function parseTaskCreate(args: readonly string[]): CommandLine<{ kind: 'create'; task: TaskInput }> {
  return parseCommandLine(args, createOptions, ({ values, positionals: names }) => {
    const { type: types = [], server: servers = [], group: groups = [], cycle: cycles = [] } = values;
    const { 'domain-group': domainGroups = [], 'service-type': serviceTypes = [] } = values;
    const { window: windows = [], 'idempotency-key': keys = [], paused: isPaused = false } = values;
    const targets = { names, types, servers, groups };
    const given = { ...targets, domainGroups, cycles, serviceTypes, windows, keys, isPaused };
    const task = buildTask(given);
    const contractFaults = findContractFaults(taskCreateRequestSchema, task, (path) =>
      nameArgument(path, given),
    );
    return { request: { kind: 'create', task }, faults: [...findTextFaults(given), ...contractFaults] };
  });
}

function buildTask(given: Given): TaskInput {
  const { types, domainGroups, cycles, serviceTypes, windows, keys, isPaused } = given;
  const [cycle = String(defaultCycleS)] = cycles;
  const [serviceType] = serviceTypes;
  const [window] = windows;
  const [key] = keys;
  return {
    target: [
      ...buildTargets(given),
      ...domainGroups.flatMap((id) =>
        typesOrA(types).map(
          (rtype) => ({ type: 'domain_group', rtype, domain_group_id: Number(id) }) as const,
        ),
      ),
    ],
    ...buildSelection(given),
    cycle: Number(cycle),
    status: isPaused ? 0 : 1,
    ...(serviceType === undefined ? {} : { service_type: serviceType }),
    ...(window === undefined ? {} : { task_time: parseWindow(window) }),
    ...(key === undefined ? {} : { idempotency_key: key }),
  };
}

function parseWindow(window: string): [start: string | number, end: string | number] {
  const [start = '', end = ''] = window.split(',').map((part) => part.trim());
  const parseEnd = (text: string) => (digits.test(text) ? Number(text) : text);
  return [parseEnd(start), parseEnd(end)];
}

/** Faults that numbers and the contract no longer show. */
function findTextFaults(given: Given): string[] {
  const { names, domainGroups, cycles, serviceTypes, windows, keys } = given;
  return [
    ...(names.length + domainGroups.length === 0 ? ['NAME or --domain-group is missing'] : []),
    ...findTargetFaults(given, 'task'),
    ...findRepeated({
      '-c': cycles,
      '--service-type': serviceTypes,
      '--window': windows,
      '--idempotency-key': keys,
    }),
    ...domainGroups
      .filter((id) => !digits.test(id))
      .map((id) => `--domain-group ${quote(id)}: expected a domain group's id, digits only`),
    ...cycles
      .filter((cycle) => !wholeNumber.test(cycle))
      .map((cycle) => `-c ${quote(cycle)}: expected a whole number of seconds`),
    ...windows.filter((window) => !isPair(window)).map((window) => `--window ${quote(window)}: ${pair}`),
  ];
}

const pair = 'expected START,END';

function isPair(window: string): boolean {
  return window.split(',').length === 2;
}

/** The argument that a fault at this path of the request comes from; undefined where `findTextFaults` names it. */
function nameArgument(path: readonly PropertyKey[], given: Given): string | undefined {
  const { names, types, domainGroups, cycles, serviceTypes, windows, keys } = given;
  const [field, index, part] = path;
  switch (field) {
    case 'target': {
      const id = domainGroups[Math.floor(Number(index) / typesOrA(types).length) - names.length];
      if (part !== 'domain_group_id' || id === undefined) return nameTargetArgument(path, given);
      return digits.test(id) ? `--domain-group ${quote(id)}` : undefined;
    }
    case 'cycle':
      return wholeNumber.test(cycles[0] ?? '') ? `-c ${quote(cycles[0])}` : undefined;
    case 'service_type':
      return `--service-type ${quote(serviceTypes[0])}`;
    case 'task_time':
      return isPair(windows[0] ?? '') ? `--window ${quote(windows[0])}` : undefined;
    case 'idempotency_key':
      return `--idempotency-key ${quote(keys[0])}`;
    default:
      return nameTargetArgument(path, given);
  }
}
