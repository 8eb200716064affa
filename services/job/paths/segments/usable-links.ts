// Which links a policy may be led over.
import type { SrPolicy } from '../../../../contracts/path-request.ts';
import type { Topology } from '../network/topology.ts';
import { findNodeSid } from './segments.ts';

/** What can stand in the way of a link, besides that it has no SID. */
export const linkConstraints = ['bandwidth', 'affinity', 'exclude', 'traffic'] as const;
export type LinkConstraint = (typeof linkConstraints)[number];

export type LinkDemand = {
  policy: Pick<SrPolicy, 'algorithm' | 'affinity' | 'mask' | 'exclude' | 'class'>;
  /** Of each link, and the whole of it where only a part would go over that link, too. */
  requiredBandwidth: number;
  /** By link; -1: not known, and good enough for anything. */
  bandwidths: Float64Array;
  /** By link: 1 where it is out besides, for the traffic that it carries. */
  isBlocked?: Uint8Array | undefined;
};

export type UsableLinks = {
  /** Writes 1 for each link that has a SID, as both of its ends have, and that keeps to all constraints that are not lifted; else 0. */
  mark(demand: LinkDemand, isUsable: Uint8Array, lifted?: readonly LinkConstraint[]): void;
};

export function createUsableLinks(topology: Topology): UsableLinks {
  const { links, nodeIndex, linkIndex } = topology;
  // Policies with the same algorithm follow each other: that of the last one is kept.
  let withSids: { algorithm: SrPolicy['algorithm']; mask: Uint8Array } | undefined;

  const close = (id: string, isUsable: Uint8Array): void => {
    const node = nodeIndex.get(id);
    const link = linkIndex.get(id);
    if (link !== undefined) isUsable[link] = 0;
    if (node === undefined) return;
    for (const { offsets, links } of [topology.outgoing, topology.incoming]) {
      for (const each of links.subarray(offsets[node], offsets[node + 1])) isUsable[each] = 0;
    }
  };

  return {
    mark({ policy, requiredBandwidth, bandwidths, isBlocked }, isUsable, lifted = []) {
      if (withSids === undefined || withSids.algorithm !== policy.algorithm) {
        withSids = { algorithm: policy.algorithm, mask: maskOfSids(topology, policy.algorithm) };
      }
      isUsable.set(withSids.mask);
      if (!lifted.includes('exclude')) for (const id of policy.exclude) close(id, isUsable);
      if (!lifted.includes('bandwidth') && requiredBandwidth > 0) {
        for (const [link, bandwidth] of bandwidths.entries()) {
          if (bandwidth !== -1 && bandwidth < requiredBandwidth) isUsable[link] = 0;
        }
      }
      if (!lifted.includes('affinity') && hasAffinity(policy)) {
        const { affinity, mask } = policy;
        for (const [index, link] of links.entries()) {
          if ((link.affinity & mask) !== (affinity & mask)) isUsable[index] = 0;
        }
      }
      if (!lifted.includes('traffic') && isBlocked !== undefined) {
        for (const [link, blocked] of isBlocked.entries()) if (blocked === 1) isUsable[link] = 0;
      }
    },
  };
}

/** Whether links have to have certain bits: for that both are needed. */
export function hasAffinity<Policy extends Pick<SrPolicy, 'affinity' | 'mask'>>(
  policy: Policy,
): policy is Policy & { affinity: number; mask: number } {
  const isGiven = (bits: number | null | undefined) => bits !== null && bits !== undefined;
  return isGiven(policy.affinity) && isGiven(policy.mask);
}

function maskOfSids({ nodes, links, from, to }: Topology, algorithm: SrPolicy['algorithm']): Uint8Array {
  const hasSid = nodes.map((node) => findNodeSid(node, algorithm) !== undefined);
  return Uint8Array.from(links, ({ sid }, index) => {
    const isLed = sid !== null && sid !== undefined;
    return isLed && hasSid[from[index] as number] && hasSid[to[index] as number] ? 1 : 0;
  });
}
