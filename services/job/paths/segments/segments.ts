// Segments of segment routing (RFC 8402): which there are, where they end, and how a reply names them.
import type { SegmentId } from '../../../../contracts/path-reply.ts';
import type { PathNode } from '../../../../contracts/path-request.ts';
import type { Topology } from '../network/topology.ts';

/** To a node over all shortest paths of the network, or over one link. */
export type Segment = { kind: 'node'; node: number } | { kind: 'link'; link: number };

/** The SID that leads to a node: that of the algorithm (RFC 9350) where the node has one, else its own. */
export function findNodeSid(
  node: PathNode,
  algorithm: number | null | undefined,
): Omit<SegmentId, 'id'> | undefined {
  if (algorithm !== null && algorithm !== undefined) {
    for (const { prefix, prefix_algorithm, prefix_sid } of node.prefix) {
      if (prefix_algorithm !== algorithm || prefix_sid === null || prefix_sid === undefined) continue;
      return { ...nameIp(prefix), sid: prefix_sid };
    }
  }
  if (node.sid === null || node.sid === undefined) return undefined;
  return { ...nameIp(node.ip), sid: node.sid };
}

/** The node at which a segment ends. */
export function endOfSegment(topology: Topology, segment: Segment): number {
  return segment.kind === 'node' ? segment.node : (topology.to[segment.link] as number);
}

/** Throws for what has no SID, which no path may use. */
export function nameSegment(
  { nodes, links }: Topology,
  segment: Segment,
  algorithm: number | null | undefined,
): SegmentId {
  if (segment.kind === 'node') {
    const node = nodes[segment.node];
    const sid = node && findNodeSid(node, algorithm);
    if (sid !== undefined) return { id: node?.id ?? '', ...sid };
  } else {
    const { id, ip, sid } = links[segment.link] ?? {};
    if (id !== undefined && sid !== null && sid !== undefined) return { id, ...nameIp(ip), sid };
  }
  throw new Error(`a segment without a SID: ${JSON.stringify(segment)}`);
}

function nameIp(ip: string | null | undefined): { ip?: string } {
  return ip === null || ip === undefined ? {} : { ip };
}
