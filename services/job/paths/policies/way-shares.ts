// Which part of what a policy carries goes over which link.
import type { Way } from '../../../../contracts/path-request.ts';
import type { Topology } from '../network/topology.ts';

/** A link by index, and the part of a policy that goes over it: above 0, and 1 for the whole. */
export type Share = { link: number; part: number };

/**
 * Each segment is divided evenly among its equal-cost paths, as consumers of these replies count it. In the order in
 * which the way meets the links. Expects a checked way (`findWayFaults`): ids that are no link are passed over, as the
 * nodes are.
 */
export function sharesOf({ linkIndex }: Pick<Topology, 'linkIndex'>, way: Way): Share[] {
  const partOf = new Map<number, number>();
  for (const paths of way) {
    for (const [link, count] of countLinks(linkIndex, paths)) {
      partOf.set(link, (partOf.get(link) ?? 0) + count / paths.length);
    }
  }
  return [...partOf].map(([link, part]) => ({ link, part }));
}

/** Counted before it is divided: ten tenths must be the whole. */
function countLinks(linkIndex: ReadonlyMap<string, number>, paths: Way[number]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const hops of paths) {
    for (let place = 1; place < hops.length; place += 2) {
      const link = linkIndex.get(hops[place] ?? '');
      if (link !== undefined) counts.set(link, (counts.get(link) ?? 0) + 1);
    }
  }
  return counts;
}
