// What the network does by itself: packets to a node go over all shortest paths of the IGP (RFC 8402).
import { distances } from './distances.ts';
import { linkCosts } from './link-costs.ts';
import type { Topology } from './topology.ts';

export type Router = {
  topology: Topology;
  /** Of the IGP, by link. */
  costs: Float64Array;
  /**
   * Of every node from `source`, over all links, whatever a policy may use; Infinity where there is no way, and perhaps
   * where nodes are further away than `limitAt`.
   */
  distancesFrom(source: number, limitAt?: number): Float64Array;
  /** Whether no way from one end of a link to the other is shorter: found out without the distances to all nodes. */
  isShortest(link: number): boolean;
  /** The links over which the shortest paths with these distances come to `node`. */
  tightLinks(distances: Float64Array, node: number): number[];
  /** The links of all shortest paths, in ascending order; none where there is no way. */
  segmentLinks(from: number, to: number): number[];
};

const defaultKeptOctets = 64 * 2 ** 20;

/** Distances are worked out once for each source, as long as they find room: those of the sources asked for last are kept. */
export function createRouter(topology: Topology, keptOctets = defaultKeptOctets): Router {
  const costs = linkCosts(topology, 'igp');
  const maxKept = Math.max(1, Math.floor(keptOctets / (8 * topology.nodes.length)));
  const kept = new Map<number, Float64Array>();

  const distancesFrom = (source: number, limitAt?: number): Float64Array => {
    const known = kept.get(source);
    if (known !== undefined && kept.size < maxKept) return known;
    if (known === undefined && limitAt !== undefined) {
      return distances(topology, costs, { origin: source, direction: 'from', limitAt });
    }
    const found = known ?? distances(topology, costs, { origin: source, direction: 'from' });
    // The map is in the order of use: the one used last is at its end.
    kept.delete(source);
    kept.set(source, found);
    if (kept.size > maxKept) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    }
    return found;
  };

  const isShort = new Map<number, boolean>();
  const isShortest = (link: number): boolean => {
    const known = isShort.get(link);
    if (known !== undefined) return known;
    const limitAt = costs[link] as number;
    const origin = topology.from[link] as number;
    const found = kept.get(origin) ?? distances(topology, costs, { origin, direction: 'from', limitAt });
    const isIt = found[topology.to[link] as number] === limitAt;
    isShort.set(link, isIt);
    return isIt;
  };

  const tightLinks = (distances: Float64Array, node: number): number[] => {
    const { offsets, links } = topology.incoming;
    const distance = distances[node] as number;
    const end = offsets[node + 1] as number;
    const found: number[] = [];
    if (distance === Number.POSITIVE_INFINITY) return found;
    for (let place = offsets[node] as number; place < end; place += 1) {
      const link = links[place] as number;
      const before = distances[topology.from[link] as number] as number;
      if (before + (costs[link] as number) === distance) found.push(link);
    }
    return found;
  };

  const segmentLinks = (from: number, to: number): number[] => {
    const known =
      kept.get(from) ?? distances(topology, costs, { origin: from, direction: 'from', until: to });
    const found: number[] = [];
    const seen = new Set([to]);
    // A set that grows while it is read: what is added is read as well.
    for (const node of seen) {
      for (const link of tightLinks(known, node)) {
        found.push(link);
        seen.add(topology.from[link] as number);
      }
    }
    return found.sort((a, b) => a - b);
  };

  return { topology, costs, distancesFrom, isShortest, tightLinks, segmentLinks };
}
