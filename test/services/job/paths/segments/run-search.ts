// Searches in networks written down by hand, told in short.
import { expect } from 'vitest';
import {
  type PathLink,
  type PathNode,
  pathAlgorithmSchema,
  srPolicySchema,
} from '../../../../../contracts/path-request.ts';
import {
  createNetwork,
  findSegmentLists,
  type PolicySearch,
} from '../../../../../services/job/paths/segments/find-segment-lists.ts';

type Given = {
  policy?: object;
  algorithm?: object;
  requiredBandwidth?: number;
  isBlocked?: (link: PathLink) => boolean;
};

/** From A to Z unless told otherwise. */
export function search({ nodes, links }: { nodes: PathNode[]; links: PathLink[] }, given: Given = {}) {
  const { policy, algorithm, requiredBandwidth = 0, isBlocked } = given;
  const request: PolicySearch = {
    policy: srPolicySchema.parse({ id: 'R', headend: 'A', tailend: 'Z', ...policy }),
    algorithm: pathAlgorithmSchema.parse({ algo: 1, ...algorithm }),
    requiredBandwidth,
    bandwidths: Float64Array.from(links, ({ bandwidth }) => bandwidth),
    isBlocked: isBlocked && Uint8Array.from(links, (link) => (isBlocked(link) ? 1 : 0)),
  };
  return findSegmentLists(createNetwork(nodes, links), request);
}

export function found(network: { nodes: PathNode[]; links: PathLink[] }, given: Given = {}) {
  const outcome = search(network, given);
  if (!outcome.ok) throw new Error(outcome.fault.message);
  return outcome.data;
}

export function sidsOf({ sids }: { sids: { id: string }[] }): string {
  return sids.map(({ id }) => id).join(' ');
}

export function nodesOf({ paths }: { paths: string[][] }): string[] {
  return paths.map((hops) => hops.filter((_, index) => index % 2 === 0).join(''));
}

export function whyNot(network: { nodes: PathNode[]; links: PathLink[] }, given: Given): string {
  const outcome = search(network, given);
  expect(outcome).toMatchObject({ ok: false, fault: { code: 'NO_PATH' } });
  return outcome.ok ? '' : outcome.fault.message;
}
