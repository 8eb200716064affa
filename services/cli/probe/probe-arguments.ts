// The command line → the request of one verbose call, or every fault in it. Pure.
import { oneShootVerboseRequestSchema } from '../../../contracts/probe.ts';
import type { RpcInput } from '../../../contracts/rpc.ts';
import {
  type CommandLine,
  commonOptions,
  findContractFaults,
  findRepeated,
  parseCommandLine,
  quote,
} from '../parse-options.ts';
import {
  buildSelection,
  buildTargets,
  findTargetFaults,
  type GivenTargets,
  nameTargetArgument,
  targetOptions,
} from '../target-options.ts';

export type ProbeInput = RpcInput<'oneShootVerbose'>;

type Given = GivenTargets & { regions: string[]; timeouts: string[] };

export const probeOptions = {
  ...targetOptions,
  region: { type: 'string', short: 'r', multiple: true },
  timeout: { type: 'string', multiple: true },
  ...commonOptions,
} as const;

const decimal = /^-?\d+(\.\d+)?$/;

/** Parses and checks the arguments (without program and script) against the contract's schema. */
export function parseProbeArguments(args: readonly string[]): CommandLine<ProbeInput> {
  return parseCommandLine(args, probeOptions, ({ values, positionals: names }) => {
    const { type: types = [], server: servers = [], group: groups = [], region: regions = [] } = values;
    const given = { names, types, servers, groups, regions, timeouts: values.timeout ?? [] };
    const request = buildRequest(given);
    const contractFaults = findContractFaults(oneShootVerboseRequestSchema, request, (path) =>
      nameArgument(path, given),
    );
    return { request, faults: [...findTextFaults(given), ...contractFaults] };
  });
}

function buildRequest(given: Given): ProbeInput {
  const { regions, timeouts } = given;
  const [timeout] = timeouts;
  return {
    target: buildTargets(given),
    ...buildSelection(given),
    ...(regions.length === 0
      ? {}
      : { regions: regions.map((region) => region.split(',').map((part) => part.trim())) }),
    ...(timeout === undefined ? {} : { resp_timeout: Number(timeout) }),
  };
}

/** Faults that numbers and the contract no longer show. */
function findTextFaults(given: Given): string[] {
  const { names, timeouts } = given;
  return [
    ...(names.length === 0 ? ['NAME is missing'] : []),
    ...findTargetFaults(given, 'probe'),
    ...findRepeated({ '--timeout': timeouts }),
    ...timeouts
      .filter((timeout) => !decimal.test(timeout))
      .map((timeout) => `--timeout ${quote(timeout)}: expected seconds`),
  ];
}

/** The argument that a fault at this path of the request comes from; undefined where `findTextFaults` names it. */
function nameArgument(path: readonly PropertyKey[], given: Given): string | undefined {
  const { regions, timeouts } = given;
  const [field, ...rest] = path;
  switch (field) {
    case 'regions': {
      const index = rest.find((part) => typeof part === 'number');
      return index === undefined ? '-r' : `-r ${quote(regions[index])}`;
    }
    case 'resp_timeout':
      return decimal.test(timeouts[0] ?? '') ? `--timeout ${quote(timeouts[0])}` : undefined;
    default:
      return nameTargetArgument(path, given);
  }
}
