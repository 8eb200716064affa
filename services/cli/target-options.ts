// The arguments that say what is probed, where it is asked and by whom: NAME, -t, -s and -g.
import { parseDnsServer } from '../../contracts/dns-server.ts';
import type { CommandName } from './command.ts';
import { findRepeated, quote, wholeNumber } from './parse-options.ts';

// All of them take several values, so that a second one where one is meant is noticed.
export const targetOptions = {
  type: { type: 'string', short: 't', multiple: true },
  server: { type: 'string', short: 's', multiple: true },
  group: { type: 'string', short: 'g', multiple: true },
} as const;

/** The texts as they were given, by which faults are named. */
export type GivenTargets = { names: string[]; types: string[]; servers: string[]; groups: string[] };

export function buildTargets({ names, types }: GivenTargets) {
  return names.flatMap((data) => typesOrA(types).map((rtype) => ({ type: 'domain', rtype, data }) as const));
}

export function typesOrA(types: string[]): string[] {
  return types.length === 0 ? ['A'] : types;
}

/** The fields of the request beside its targets. */
export function buildSelection({ servers, groups: [group] }: GivenTargets) {
  return {
    ...(servers.length === 0 ? {} : { probe_data: { dns_servers: servers } }),
    ...(group === undefined ? {} : { group_id: Number(group) }),
  };
}

/** Faults that numbers and the contract no longer show. */
export function findTargetFaults({ names, groups }: GivenTargets, command: CommandName): string[] {
  return [
    // Without -- npm takes the options for its own and leaves their values behind, as names.
    ...names
      .filter((name) => parseDnsServer(name).ok)
      .map(
        (name) => `NAME ${quote(name)}: is a server's address; did you forget -- after npm run ${command}?`,
      ),
    ...findRepeated({ '-g': groups }),
    ...groups
      .filter((group) => !wholeNumber.test(group))
      .map((group) => `-g ${quote(group)}: expected a whole number`),
  ];
}

/** The argument that a fault at this path of the request comes from; undefined where a fault names it already. */
export function nameTargetArgument(path: readonly PropertyKey[], given: GivenTargets): string | undefined {
  const { names, types, servers, groups } = given;
  const [field, ...rest] = path;
  const index = rest.find((part) => typeof part === 'number') ?? 0;
  const { length: typeCount } = typesOrA(types);
  switch (field) {
    case 'target':
      if (rest.includes('rtype')) return `-t ${quote(types[index % typeCount])}`;
      return names.length === 0 ? undefined : `NAME ${quote(names[Math.floor(index / typeCount)])}`;
    case 'probe_data':
      return `-s ${quote(servers[index])}`;
    case 'group_id':
      return wholeNumber.test(groups[0] ?? '') ? `-g ${quote(groups[0])}` : undefined;
    default:
      return path.map(String).join('.');
  }
}
