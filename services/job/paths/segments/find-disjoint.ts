// A second path for when the first one fails: over other nodes, or at least over other links.
import type { Network } from './network.ts';
import { type FoundList, type ListSearch, searchLists } from './search-lists.ts';

export type DisjointLists = { first: FoundList; second: FoundList[] };

/**
 * The first of the lists for which there are second ones that lead over none of the inner nodes of its paths, else the
 * first for which there are some that lead over none of its links; undefined where no list has any. A second list keeps
 * to all that the first one keeps to, but need not pass the waypoints, which the first one has taken. A link and the
 * one that leads back are two links.
 */
export function findDisjoint(
  network: Network,
  search: ListSearch,
  lists: readonly FoundList[],
): DisjointLists | undefined {
  for (const closePaths of [closeNodes, closeLinks]) {
    for (const first of lists) {
      const isUsable = Uint8Array.from(search.isUsable);
      closePaths(search, first, isUsable);
      const { lists: second } = searchLists(network, { ...search, via: [], isUsable });
      if (second.length > 0) return { first, second };
    }
  }
  return undefined;
}

/** Of a path that is one link there is no inner node: the links are closed, too. */
function closeNodes({ topology, head, tail }: ListSearch, first: FoundList, isUsable: Uint8Array): void {
  const { from, to } = topology;
  closeLinks({ topology }, first, isUsable);
  const inner = new Set<number>();
  for (const path of first.paths) for (const link of path) inner.add(to[link] as number);
  inner.delete(head);
  inner.delete(tail);
  for (let link = 0; link < isUsable.length; link += 1) {
    if (inner.has(from[link] as number) || inner.has(to[link] as number)) isUsable[link] = 0;
  }
}

function closeLinks(_search: Pick<ListSearch, 'topology'>, { paths }: FoundList, isUsable: Uint8Array): void {
  for (const path of paths) for (const link of path) isUsable[link] = 0;
}
