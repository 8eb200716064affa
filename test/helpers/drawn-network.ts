// Networks that can be had again: the same seed gives the same one.
import type { PathLink, PathNode } from '../../contracts/path-request.ts';
import type { SeededRandom } from './seeded-random.ts';

export type NetworkShape = {
  nodes: number;
  links: number;
  /** What metrics and delays are picked from: with few of them, ties abound. */
  metrics: readonly number[];
  bandwidths?: readonly number[];
};

/** Links between any two nodes, some of them parallel; with a ring first, so that every node can be reached. */
export function randomNetwork(
  random: SeededRandom,
  { nodes: nodeCount, links: linkCount, metrics, bandwidths = [-1, 10, 20, 30] }: NetworkShape,
  { hasRing = false } = {},
): { nodes: PathNode[]; links: PathLink[] } {
  const nodes = Array.from({ length: nodeCount }, (_, index) => namedNode(index));
  const links = Array.from({ length: linkCount }, (_, index) => {
    const isRing = hasRing && index < nodeCount;
    const local = isRing ? index : random.below(nodeCount);
    const remote = isRing ? (index + 1) % nodeCount : random.below(nodeCount);
    return {
      ...namedLink(index, local, remote),
      igp: random.pick(metrics),
      te: random.pick(metrics),
      delay: random.pick(metrics),
      bandwidth: random.pick(bandwidths),
    };
  });
  return { nodes, links };
}

/** Links with a metric of 1, in both directions, between the nodes of these indexes. */
export function pairedNetwork(
  nodeCount: number,
  pairs: readonly (readonly [number, number])[],
): { nodes: PathNode[]; links: PathLink[] } {
  const ends = pairs.flatMap(([one, other]): [number, number][] => [
    [one, other],
    [other, one],
  ]);
  return {
    nodes: Array.from({ length: nodeCount }, (_, index) => namedNode(index)),
    links: ends.map(([local, remote], index) => namedLink(index, local, remote)),
  };
}

/** The pairs of a grid whose node in row r and column c is r × columns + c. */
export function gridPairs(rows: number, columns: number): [number, number][] {
  const pairs: [number, number][] = [];
  for (let node = 0; node < rows * columns; node += 1) {
    if ((node + 1) % columns !== 0) pairs.push([node, node + 1]);
    if (node + columns < rows * columns) pairs.push([node, node + columns]);
  }
  return pairs;
}

function namedNode(index: number): PathNode {
  return { id: `N${index}`, ip: `192.0.2.${index % 256}`, sid: 10_000 + index, prefix: [] };
}

function namedLink(index: number, local: number, remote: number): PathLink {
  return {
    id: `L${index}`,
    local: `N${local}`,
    remote: `N${remote}`,
    sid: 100_000 + index,
    igp: 1,
    te: 1,
    bandwidth: -1,
    affinity: 0,
    delay: 1,
    min_delay: 1,
    max_delay: 1,
    qos_class: [],
    traffic_flow: 0,
  };
}
