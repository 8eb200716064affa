// Dijkstra's algorithm: how far every node is from one node, or to it.
import FlatQueue from 'flatqueue';
import type { Topology } from './topology.ts';

export type DistanceSearch = {
  /** A node, by index. */
  origin: number;
  /** Whether the ways begin or end there. */
  direction: 'from' | 'to';
  /** By link: 0 where it must not be taken. */
  isUsable?: Uint8Array;
  /** Nodes further away than this are not looked for and stay at Infinity. */
  limitAt?: number;
  /** A node: once its distance is known, those further away are not looked for; what they have is no distance then. */
  until?: number;
};

/** By node: the sum of the costs (above 0, as `linkCosts` gives them) of a shortest way; Infinity where there is none. */
export function distances(
  { from, to, outgoing, incoming, nodes }: Topology,
  costs: Float64Array,
  { origin, direction, isUsable, limitAt = Number.POSITIVE_INFINITY, until }: DistanceSearch,
): Float64Array {
  const { offsets, links } = direction === 'from' ? outgoing : incoming;
  const ends = direction === 'from' ? to : from;
  const distanceOf = new Float64Array(nodes.length).fill(Number.POSITIVE_INFINITY);
  const queue = new FlatQueue<number>();
  distanceOf[origin] = 0;
  queue.push(origin, 0);
  for (;;) {
    const reached = queue.peekValue();
    const node = queue.pop();
    if (node === undefined || reached === undefined || node === until) return distanceOf;
    // Nothing takes entries out of the queue: those of longer ways come up late and are passed over.
    if (reached > (distanceOf[node] as number)) continue;
    const end = offsets[node + 1] as number;
    for (let place = offsets[node] as number; place < end; place += 1) {
      const link = links[place] as number;
      if (isUsable !== undefined && isUsable[link] === 0) continue;
      const next = ends[link] as number;
      const distance = reached + (costs[link] as number);
      if (distance >= (distanceOf[next] as number) || distance > limitAt) continue;
      distanceOf[next] = distance;
      queue.push(next, distance);
    }
  }
}
