// What no schema sees of a policy: ends and constraints that the network does not have, or that contradict each other.
import type { Fault } from '../../../../contracts/errors.ts';
import type { SrPolicy } from '../../../../contracts/path-request.ts';
import type { NetworkIds } from './find-network-faults.ts';

/** `place`: where the policy stands in the request. */
export function findPolicyFaults(policy: SrPolicy, place: string, ids: NetworkIds): Fault[] {
  return [
    ...findEndFaults(policy, place, ids),
    ...findIncludeFaults(policy, place, ids),
    ...findExcludeFaults(policy, place, ids),
  ];
}

/** The faults of each one, and ids that stand twice. */
export function findPoliciesFaults(policies: readonly SrPolicy[], ids: NetworkIds): Fault[] {
  const faults: Fault[] = [];
  const placeOf = new Map<string, number>();
  for (const [index, policy] of policies.entries()) {
    const before = placeOf.get(policy.id);
    if (before === undefined) placeOf.set(policy.id, index);
    else {
      const reason = `${policy.id} is the id of sr_policy.${before}, too`;
      faults.push({ path: `sr_policy.${index}.id`, reason });
    }
    for (const fault of findPolicyFaults(policy, `sr_policy.${index}`, ids)) faults.push(fault);
  }
  return faults;
}

function findEndFaults({ headend, tailend }: SrPolicy, place: string, { nodes }: NetworkIds): Fault[] {
  const faults: Fault[] = [];
  if (!nodes.has(headend)) faults.push({ path: `${place}.headend`, reason: `there is no node ${headend}` });
  if (!nodes.has(tailend)) faults.push({ path: `${place}.tailend`, reason: `there is no node ${tailend}` });
  if (headend === tailend) faults.push({ path: `${place}.tailend`, reason: 'is the headend, too' });
  return faults;
}

function findIncludeFaults(
  { headend, tailend, include, exclude }: SrPolicy,
  place: string,
  ids: NetworkIds,
): Fault[] {
  if (include.length === 0) return [];
  const excluded = new Set(exclude);
  const passed = new Set<string>();
  const findReason = (id: string): string | undefined => {
    if (!isKnown(ids, id)) return unknownId(id);
    if (passed.has(id)) return `${id} stands twice, and a path passes it once`;
    if (excluded.has(id)) return `${id} is excluded, too`;
    if (id === headend || id === tailend) return `${id} is an end of the path, which passes it anyway`;
    return undefined;
  };
  return include.flatMap((id, index) => {
    const reason = findReason(id);
    passed.add(id);
    return reason === undefined ? [] : [{ path: `${place}.include.${index}`, reason }];
  });
}

function findExcludeFaults({ headend, tailend, exclude }: SrPolicy, place: string, ids: NetworkIds): Fault[] {
  return exclude.flatMap((id, index) => {
    const isEnd = id === headend || id === tailend;
    if (isKnown(ids, id) && !isEnd) return [];
    const reason = isEnd ? `${id} is an end of the path` : unknownId(id);
    return [{ path: `${place}.exclude.${index}`, reason }];
  });
}

function isKnown({ nodes, links }: NetworkIds, id: string): boolean {
  return nodes.has(id) || links.has(id);
}

function unknownId(id: string): string {
  return `there is no node and no link ${id}`;
}
