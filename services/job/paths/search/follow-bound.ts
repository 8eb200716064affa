// Walks straight to the end of a stage where what is barred is not in the way.
import type { Remaining, Terrain } from './remaining-ways.ts';

/** From one node to another over links that are open. */
export type WaySearch = {
  start: number;
  end: number;
  /** What is left to the end when all links of the stage are open. */
  remaining: Remaining;
  isOpen: (link: number) => boolean;
};

/** The least sums that a way can have. */
export type WayBound = { first: number; second: number };

/** Over the best link that is open, and from its end on as if all were; undefined where none leads on. */
export function findBound(
  { topology, first, second }: Terrain,
  { start, remaining, isOpen }: WaySearch,
): WayBound | undefined {
  const { offsets, links } = topology.outgoing;
  const bound = { first: Number.POSITIVE_INFINITY, second: Number.POSITIVE_INFINITY };
  for (let place = offsets[start] as number; place < (offsets[start + 1] as number); place += 1) {
    const link = links[place] as number;
    const next = topology.to[link] as number;
    const sum = (first[link] as number) + (remaining.first[next] as number);
    if (sum > bound.first || sum === Number.POSITIVE_INFINITY || !isOpen(link)) continue;
    const other = (second[link] as number) + (remaining.second[next] as number);
    if (sum < bound.first || other < bound.second) bound.second = other;
    bound.first = sum;
  }
  return bound.first === Number.POSITIVE_INFINITY ? undefined : bound;
}

/**
 * The way that keeps to the bound, with the least link where such ways part; undefined where there is none. Links that
 * keep to it lead ever nearer to the end: a node from which one try failed fails always, so that each is seen once.
 */
export type FollowBound = (search: WaySearch, bound: WayBound) => number[] | undefined;

/** `spent.steps` counts the nodes that were looked at. */
export function createFollowBound(
  { topology, first, second }: Terrain,
  spent: { steps: number },
): FollowBound {
  const { from, to, outgoing } = topology;
  // A mark is one that counts where it equals the number of the search: so the array is never cleared.
  const seenMark = new Int32Array(topology.nodes.length);
  const cursor = new Int32Array(topology.nodes.length);
  let search = 0;

  return ({ start, end, remaining, isOpen }, bound) => {
    search += 1;
    const way: number[] = [];
    let node = start;
    // Without its barred links the start may lead to nodes whose best way comes back to it.
    seenMark[start] = search;
    cursor[node] = outgoing.offsets[node] as number;
    for (;;) {
      const place = cursor[node] as number;
      if (place === outgoing.offsets[node + 1]) {
        const back = way.pop();
        if (back === undefined) return undefined;
        node = from[back] as number;
        continue;
      }
      cursor[node] = place + 1;
      const link = outgoing.links[place] as number;
      const next = to[link] as number;
      const leftFirst = node === start ? bound.first : (remaining.first[node] as number);
      if ((first[link] as number) + (remaining.first[next] as number) !== leftFirst) continue;
      const leftSecond = node === start ? bound.second : (remaining.second[node] as number);
      if ((second[link] as number) + (remaining.second[next] as number) !== leftSecond) continue;
      if (seenMark[next] === search || !isOpen(link)) continue;
      spent.steps += 1;
      way.push(link);
      if (next === end) return way;
      seenMark[next] = search;
      cursor[next] = outgoing.offsets[next] as number;
      node = next;
    }
  };
}
