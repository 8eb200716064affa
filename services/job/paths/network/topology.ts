// A network by index: what searches walk over, in typed arrays.
import type { PathLink, PathNode } from '../../../../contracts/path-request.ts';

/** The links of node n are those from `links[offsets[n]]` up to, not including, `links[offsets[n + 1]]`, in order. */
export type Adjacency = { offsets: Int32Array; links: Int32Array };

export type Topology = {
  nodes: readonly PathNode[];
  links: readonly PathLink[];
  nodeIndex: ReadonlyMap<string, number>;
  linkIndex: ReadonlyMap<string, number>;
  /** The node that a link leaves, and the one that it leads to, both by index. */
  from: Int32Array;
  to: Int32Array;
  outgoing: Adjacency;
  incoming: Adjacency;
};

/** Expects what was checked before: ids once each, and both ends of a link among the nodes (else a RangeError). */
export function createTopology(nodes: readonly PathNode[], links: readonly PathLink[]): Topology {
  const nodeIndex = new Map(nodes.map(({ id }, index) => [id, index]));
  const endOf = (id: string): number => {
    const index = nodeIndex.get(id);
    if (index === undefined) throw new RangeError(`a link ends at ${id}, which is no node`);
    return index;
  };
  const from = Int32Array.from(links, ({ local }) => endOf(local));
  const to = Int32Array.from(links, ({ remote }) => endOf(remote));
  return {
    nodes,
    links,
    nodeIndex,
    linkIndex: new Map(links.map(({ id }, index) => [id, index])),
    from,
    to,
    outgoing: groupByNode(from, nodes.length),
    incoming: groupByNode(to, nodes.length),
  };
}

/** A counting sort of the links by their node. */
function groupByNode(nodeOfLink: Int32Array, nodeCount: number): Adjacency {
  const offsets = new Int32Array(nodeCount + 1);
  for (const node of nodeOfLink) offsets[node + 1] = (offsets[node + 1] as number) + 1;
  for (let node = 0; node < nodeCount; node += 1) {
    offsets[node + 1] = (offsets[node + 1] as number) + (offsets[node] as number);
  }
  const next = offsets.slice(0, nodeCount);
  const links = new Int32Array(nodeOfLink.length);
  for (const [link, node] of nodeOfLink.entries()) {
    const place = next[node] as number;
    links[place] = link;
    next[node] = place + 1;
  }
  return { offsets, links };
}
