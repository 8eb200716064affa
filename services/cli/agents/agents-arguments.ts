// The command line → what the agents command is to do, or every fault in it. Pure.
import { type PlacePattern, regionSchema } from '../../../contracts/place.ts';
import {
  asksForJson,
  type CommandLine,
  commonOptions,
  findRepeated,
  parseCommandLine,
  quote,
} from '../parse-options.ts';
import {
  findNodeFaults,
  findNumberFaults,
  findPlaceFaults,
  findUrlFaults,
} from './agents-argument-faults.ts';

/** What is done to the agents of nodes; all but `status` changes something. */
const agentChanges = ['deploy', 'upgrade', 'restart', 'stop', 'start', 'remove', 'status'] as const;
export type AgentChange = (typeof agentChanges)[number];

/** Options as they were given; undefined is not given. */
export type RollOutRequest = {
  kind: 'roll-out';
  change: AgentChange;
  /** With --plan, of its regions those that lie within; else the region of the nodes. */
  region: PlacePattern | undefined;
  nodes: string[];
  planFile: string | undefined;
  settings: GivenSettings;
  user: string | null;
  forks: number;
  batch: number;
  isKeepingOn: boolean;
  url: string | undefined;
};

export type GivenSettings = {
  idPrefix: string | undefined;
  groups: string[] | undefined;
  resolvers: string[] | undefined;
  natsUrl: string | undefined;
  natsUser: string | undefined;
  natsCredsFile: string | undefined;
  natsCaFile: string | undefined;
  concurrency: string | undefined;
  metricsPort: string | undefined;
  directory: string | undefined;
  login: string | undefined;
  service: string | undefined;
  readyTimeout: string | undefined;
  become: boolean | undefined;
};

export type AgentsRequest =
  | RollOutRequest
  | { kind: 'list'; region: PlacePattern | undefined }
  | { kind: 'known-run'; action: 'follow' | 'cancel'; id: number; url: string | undefined };

const text = { type: 'string', multiple: true } as const;

export const agentsOptions = {
  region: text,
  nodes: text,
  plan: text,
  'id-prefix': text,
  groups: text,
  resolvers: text,
  'nats-url': text,
  'nats-user': text,
  'nats-creds': text,
  'nats-ca': text,
  concurrency: text,
  'metrics-port': text,
  directory: text,
  login: text,
  service: text,
  'ready-timeout': text,
  become: { type: 'boolean' },
  user: text,
  forks: text,
  batch: text,
  'keep-going': { type: 'boolean' },
  url: text,
  ...commonOptions,
} as const;

const defaultForks = 20;
const defaultBatch = 100;
const known = [...agentChanges, 'list', 'follow', 'cancel'];
const settingsOptions = [
  ...['id-prefix', 'groups', 'resolvers', 'nats-url', 'nats-user', 'nats-creds', 'nats-ca'],
  ...['concurrency', 'metrics-port', 'login', 'service'],
];

export function parseAgentsArguments(args: readonly string[]): CommandLine<AgentsRequest> {
  const [name = '', ...rest] = args;
  if (name === '--help' || name === '-h' || name === 'help') return { kind: 'help' };
  const change = agentChanges.find((each) => each === name);
  if (change !== undefined) return parseRollOut(change, rest);
  if (name === 'list') return parseList(rest);
  if (name === 'follow' || name === 'cancel') return parseRunCommand(name, rest);
  const expected = `expected ${known.join(', ')}`;
  const fault = args.length === 0 ? `COMMAND is missing: ${expected}` : `COMMAND ${quote(name)}: ${expected}`;
  return { kind: 'faults', faults: [fault], isJson: asksForJson(args) };
}

function parseRollOut(change: AgentChange, args: readonly string[]): CommandLine<AgentsRequest> {
  return parseCommandLine(args, agentsOptions, ({ values, positionals }) => {
    const { nodes = [], ...rest } = values;
    const given = new Map(
      Object.entries(rest)
        .filter(([, value]) => Array.isArray(value))
        .map(([key, value]) => [key, [value].flat().map(String)]),
    );
    const read = (option: string) => given.get(option)?.[0];
    const list = (option: string) => (given.has(option) ? splitList(read(option) ?? '') : undefined);
    const region = readRegion(read('region'));
    const planFile = read('plan');
    const texts = nodes.flatMap(splitList);
    const faults = [
      ...positionals.map((word) => `${quote(word)}: ${change} takes options only; nodes go with --nodes`),
      ...findRepeated(Object.fromEntries([...given].map(([option, all]) => [`--${option}`, all]))),
      ...(region === 'fault'
        ? [`--region ${quote(read('region'))}: expected COUNTRY,PROVINCE,CITY,CARRIER`]
        : []),
      ...findNodeFaults(texts, planFile),
      ...findNumberFaults(given),
      ...findUrlFaults(read('nats-url')),
      ...(change !== 'deploy' && given.has('region') && planFile === undefined
        ? ['--region: only deploy and --plan take it']
        : []),
      ...(change === 'deploy'
        ? findPlaceFaults(region, planFile)
        : settingsOptions
            .filter((option) => given.has(option))
            .map((option) => `--${option}: only deploy takes it`)),
    ];
    const request: RollOutRequest = {
      kind: 'roll-out',
      change,
      region: region === 'fault' ? undefined : region,
      nodes: texts,
      planFile,
      settings: {
        idPrefix: read('id-prefix'),
        groups: list('groups'),
        resolvers: list('resolvers'),
        natsUrl: read('nats-url'),
        natsUser: read('nats-user'),
        natsCredsFile: read('nats-creds'),
        natsCaFile: read('nats-ca'),
        concurrency: read('concurrency'),
        metricsPort: read('metrics-port'),
        directory: read('directory'),
        login: read('login'),
        service: read('service'),
        readyTimeout: read('ready-timeout'),
        become: values.become,
      },
      user: read('user') ?? null,
      forks: Number(read('forks') ?? defaultForks),
      batch: Number(read('batch') ?? defaultBatch),
      isKeepingOn: values['keep-going'] === true || change === 'status',
      url: read('url'),
    };
    return { request, faults };
  });
}

const listOptions = { region: text, ...commonOptions } as const;

function parseList(args: readonly string[]): CommandLine<AgentsRequest> {
  return parseCommandLine(args, listOptions, ({ values, positionals }) => {
    const { region: regions = [] } = values;
    const region = readRegion(regions[0]);
    const faults = [
      ...positionals.map((word) => `${quote(word)}: list takes options only`),
      ...findRepeated({ '--region': regions }),
      ...(region === 'fault'
        ? [`--region ${quote(regions[0])}: expected COUNTRY,PROVINCE,CITY,CARRIER`]
        : []),
    ];
    return { request: { kind: 'list', region: region === 'fault' ? undefined : region }, faults };
  });
}

const runOptions = { url: text, ...commonOptions } as const;

function parseRunCommand(action: 'follow' | 'cancel', args: readonly string[]): CommandLine<AgentsRequest> {
  return parseCommandLine(args, runOptions, ({ values, positionals }) => {
    const [id = '', ...surplus] = positionals;
    const faults = [
      ...(id === '' ? ['RUN is missing'] : []),
      ...(id !== '' && !/^\d{1,15}$/.test(id) ? [`RUN ${quote(id)}: expected the number of a run`] : []),
      ...surplus.map((word) => `${quote(word)}: ${action} takes one RUN`),
      ...findRepeated({ '--url': values.url ?? [] }),
    ];
    return { request: { kind: 'known-run', action, id: Number(id), url: values.url?.[0] }, faults };
  });
}

function splitList(given: string): string[] {
  return given
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function readRegion(given: string | undefined): PlacePattern | 'fault' | undefined {
  if (given === undefined) return undefined;
  const parsed = regionSchema.safeParse(given.split(',').map((part) => part.trim()));
  return parsed.success ? parsed.data : 'fault';
}
