// The command line → the request of one verbose call, or every fault in it. Pure.
import { parseArgs } from 'node:util';
import { parseDnsServer } from '../../contracts/dns-server.ts';
import { oneShootVerboseRequestSchema } from '../../contracts/probe.ts';
import type { RpcInput } from '../../contracts/rpc.ts';
import { printable } from './printable-text.ts';

export type ProbeInput = RpcInput<'oneShootVerbose'>;

export type ProbeArguments =
  | { kind: 'help' }
  | { kind: 'probe'; request: ProbeInput; isJson: boolean }
  /** One readable line each. */
  | { kind: 'faults'; faults: string[]; isJson: boolean };

/** The texts as they were given, by which faults are named. */
type Given = {
  names: string[];
  types: string[];
  servers: string[];
  groups: string[];
  regions: string[];
  timeouts: string[];
};

// All of them take several values, so that a second one where one is meant is noticed.
const options = {
  type: { type: 'string', short: 't', multiple: true },
  server: { type: 'string', short: 's', multiple: true },
  group: { type: 'string', short: 'g', multiple: true },
  region: { type: 'string', short: 'r', multiple: true },
  timeout: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

const wholeNumber = /^-?\d+$/;
const decimal = /^-?\d+(\.\d+)?$/;

/** Parses and checks the arguments (without program and script) against the contract's schema. */
export function parseProbeArguments(args: readonly string[]): ProbeArguments {
  const parsed = parseOptions(args);
  if (typeof parsed === 'string') return { kind: 'faults', faults: [parsed], isJson: asksForJson(args) };
  const { values, positionals } = parsed;
  if (values.help === true) return { kind: 'help' };
  const { type: types = [], server: servers = [], group: groups = [], region: regions = [] } = values;
  const given = { names: positionals, types, servers, groups, regions, timeouts: values.timeout ?? [] };

  const request = buildRequest(given);
  const faults = new Set([...findTextFaults(given), ...findContractFaults(request, given)]);
  const isJson = values.json === true;
  return faults.size === 0
    ? { kind: 'probe', request, isJson }
    : { kind: 'faults', faults: [...faults], isJson };
}

function parseOptions(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // Of an unknown option the rest tells of arguments that only look like one, in words that mislead.
    const [reason = ''] = error.message.split('. To specify a positional argument');
    return printable(reason.replaceAll(/\s*\n\s*/g, ' '));
  }
}

/** Of arguments that cannot be parsed. */
function asksForJson(args: readonly string[]): boolean {
  const end = args.indexOf('--');
  return args.slice(0, end === -1 ? args.length : end).includes('--json');
}

function buildRequest({ names, types, servers, groups, regions, timeouts }: Given): ProbeInput {
  const rtypes = types.length === 0 ? ['A'] : types;
  const [group] = groups;
  const [timeout] = timeouts;
  return {
    target: names.flatMap((data) => rtypes.map((rtype) => ({ type: 'domain', rtype, data }) as const)),
    ...(servers.length === 0 ? {} : { probe_data: { dns_servers: servers } }),
    ...(group === undefined ? {} : { group_id: Number(group) }),
    ...(regions.length === 0
      ? {}
      : { regions: regions.map((region) => region.split(',').map((part) => part.trim())) }),
    ...(timeout === undefined ? {} : { resp_timeout: Number(timeout) }),
  };
}

/** Faults that numbers and the contract no longer show. */
function findTextFaults({ names, groups, timeouts }: Given): string[] {
  const faults: string[] = [];
  if (names.length === 0) faults.push('NAME is missing');
  // Without -- npm takes the options for its own and leaves their values behind, as names.
  for (const name of names)
    if (parseDnsServer(name).ok)
      faults.push(`NAME ${quote(name)}: is a server's address; did you forget -- after npm run probe?`);
  if (groups.length > 1) faults.push('-g: given more than once');
  if (timeouts.length > 1) faults.push('--timeout: given more than once');
  for (const group of groups)
    if (!wholeNumber.test(group)) faults.push(`-g ${quote(group)}: expected a whole number`);
  for (const timeout of timeouts)
    if (!decimal.test(timeout)) faults.push(`--timeout ${quote(timeout)}: expected seconds`);
  return faults;
}

function findContractFaults(request: ProbeInput, given: Given): string[] {
  const parsed = oneShootVerboseRequestSchema.safeParse(request);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap(({ path, message }) => {
    const argument = nameArgument(path, given);
    return argument === undefined ? [] : [`${argument}: ${message}`];
  });
}

/** The argument that a fault at this path of the request comes from; undefined where `findTextFaults` names it. */
function nameArgument(path: readonly PropertyKey[], given: Given): string | undefined {
  const { names, types, servers, groups, regions, timeouts } = given;
  const [field, ...rest] = path;
  const index = rest.find((part) => typeof part === 'number') ?? 0;
  const typeCount = Math.max(1, types.length);
  switch (field) {
    case 'target':
      if (names.length === 0) return undefined;
      return rest.includes('rtype')
        ? `-t ${quote(types[index % typeCount])}`
        : `NAME ${quote(names[Math.floor(index / typeCount)])}`;
    case 'probe_data':
      return `-s ${quote(servers[index])}`;
    case 'regions':
      return rest.length === 0 ? '-r' : `-r ${quote(regions[index])}`;
    case 'group_id':
      return wholeNumber.test(groups[0] ?? '') ? `-g ${quote(groups[0])}` : undefined;
    case 'resp_timeout':
      return decimal.test(timeouts[0] ?? '') ? `--timeout ${quote(timeouts[0])}` : undefined;
    default:
      return path.map(String).join('.');
  }
}

const maxQuoted = 80;

function quote(text = ''): string {
  return printable(text.length > maxQuoted ? `"${text.slice(0, maxQuoted)}…"` : `"${text}"`);
}
