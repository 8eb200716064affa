// What is wrong with the arguments of the agents command, one readable line each. Pure.
import type { PlacePattern } from '../../../contracts/place.ts';
import { quote } from '../parse-options.ts';

export function findNodeFaults(nodes: readonly string[], planFile: string | undefined): string[] {
  if (planFile !== undefined) return nodes.length === 0 ? [] : ['--nodes and --plan: expected one of them'];
  return nodes.length === 0 ? ['--nodes or --plan is missing'] : [];
}

/** Of a deployment: where its nodes are. */
export function findPlaceFaults(
  region: PlacePattern | 'fault' | undefined,
  planFile: string | undefined,
): string[] {
  if (planFile !== undefined || region === 'fault') return [];
  if (region === undefined) return ['--region is missing: where the nodes are'];
  return Object.values(region).includes('*')
    ? ['--region: expected all of COUNTRY,PROVINCE,CITY,CARRIER']
    : [];
}

const numbers: Record<string, { min: number; max: number }> = {
  forks: { min: 1, max: 1000 },
  batch: { min: 1, max: 200 },
  concurrency: { min: 1, max: 100_000 },
  'metrics-port': { min: 0, max: 65_535 },
  'ready-timeout': { min: 1, max: 600 },
};

export function findNumberFaults(given: ReadonlyMap<string, string[]>): string[] {
  return Object.entries(numbers).flatMap(([option, { min, max }]) => {
    const value = given.get(option)?.[0];
    if (value === undefined || (/^\d{1,6}$/.test(value) && Number(value) >= min && Number(value) <= max))
      return [];
    return [`--${option} ${quote(value)}: expected a whole number from ${min} to ${max}`];
  });
}

/** Other users of this machine see its command lines. */
export function findUrlFaults(url: string | undefined): string[] {
  return url?.includes('@')
    ? ['--nats-url: a login does not belong into a command line; set AGENT_NATS_URL']
    : [];
}
