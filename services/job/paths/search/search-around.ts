// The best way through a stage where something barred is in the way of what would be the best.
import FlatQueue from 'flatqueue';
import type { WaySearch } from './follow-bound.ts';
import type { Terrain } from './remaining-ways.ts';

/** Of all best ways that with the least link where they part; undefined where there is none. */
export type SearchAround = (search: WaySearch) => number[] | undefined;

/** `spent.steps` counts the nodes that were looked at. */
export function createSearchAround(
  { topology, first, second }: Terrain,
  spent: { steps: number },
): SearchAround {
  const { from, to, outgoing, incoming } = topology;
  const nodeCount = topology.nodes.length;
  // A mark is one that counts where it equals the number of the search: so no array is ever cleared.
  const seenMark = new Int32Array(nodeCount);
  const goodMark = new Int32Array(nodeCount);
  const firstOf = new Float64Array(nodeCount);
  const secondOf = new Float64Array(nodeCount);
  const queue = new FlatQueue<number>();
  let search = 0;

  /** A*: what is left when nothing is barred is the bound. Goes on until no other way can be as good as the best. */
  return ({ start, end, remaining, isOpen }) => {
    search += 1;
    const isSeen = (node: number): boolean => seenMark[node] === search;
    seenMark[start] = search;
    firstOf[start] = 0;
    secondOf[start] = 0;
    queue.clear();
    queue.push(start, 0);
    for (;;) {
      const bound = queue.peekValue();
      const node = queue.pop();
      if (node === undefined || bound === undefined) break;
      if (isSeen(end) && bound > (firstOf[end] as number)) break;
      const sumFirst = firstOf[node] as number;
      // Entries of longer ways come up late; the start has no bound of its own.
      if (node === end || (node !== start && bound > sumFirst + (remaining.first[node] as number))) continue;
      const sumSecond = secondOf[node] as number;
      spent.steps += 1;
      for (
        let place = outgoing.offsets[node] as number;
        place < (outgoing.offsets[node + 1] as number);
        place += 1
      ) {
        const link = outgoing.links[place] as number;
        const next = to[link] as number;
        const nextFirst = sumFirst + (first[link] as number);
        const nextBound = nextFirst + (remaining.first[next] as number);
        if (nextBound === Number.POSITIVE_INFINITY) continue;
        const nextSecond = sumSecond + (second[link] as number);
        if (isSeen(next)) {
          const known = firstOf[next] as number;
          if (nextFirst > known || (nextFirst === known && nextSecond >= (secondOf[next] as number)))
            continue;
        }
        if (!isOpen(link)) continue;
        seenMark[next] = search;
        firstOf[next] = nextFirst;
        secondOf[next] = nextSecond;
        queue.push(next, nextBound);
      }
    }
    return isSeen(end) ? walkLeast(start, end, isOpen) : undefined;
  };

  /** Among the ways of the best sums that the search has labelled: that with the least link where they part. */
  function walkLeast(start: number, end: number, isOpen: (link: number) => boolean): number[] {
    const isPartOfBest = (link: number): boolean => {
      const [before, next] = [from[link] as number, to[link] as number];
      return (
        seenMark[before] === search &&
        (firstOf[before] as number) + (first[link] as number) === firstOf[next] &&
        (secondOf[before] as number) + (second[link] as number) === secondOf[next] &&
        isOpen(link)
      );
    };
    const open = [end];
    goodMark[end] = search;
    for (let node = open.pop(); node !== undefined; node = open.pop()) {
      for (
        let place = incoming.offsets[node] as number;
        place < (incoming.offsets[node + 1] as number);
        place += 1
      ) {
        const link = incoming.links[place] as number;
        const before = from[link] as number;
        if (goodMark[before] === search || !isPartOfBest(link)) continue;
        goodMark[before] = search;
        open.push(before);
      }
    }
    const way: number[] = [];
    for (let node = start; node !== end; ) {
      const link = outgoing.links
        .subarray(outgoing.offsets[node], outgoing.offsets[node + 1])
        .find((each) => goodMark[to[each] as number] === search && isPartOfBest(each));
      if (link === undefined) throw new Error('a labelled way has come to an end');
      way.push(link);
      node = to[link] as number;
    }
    return way;
  }
}
