// A path → the shortest list of segments that stands for it: one whose every expansion is as good as the path.
import type { Router } from '../network/router.ts';
import type { FoundPath, PathSearch } from '../search/best-paths.ts';
import { createReachFinder, maxPathsLike, type Reach } from './segment-reach.ts';
import type { Segment } from './segments.ts';
import { findShortestSplit } from './split-path.ts';

export type PathEncoder = { encode(search: PathSearch, path: FoundPath): Segment[] };

/**
 * Every path that the list may lead over uses usable links only, is loopless, passes the waypoints in their order, has
 * the value that paths are sorted by (and the cost, where only shortest paths are wanted; of bandwidth at least that of
 * the path), and there are at most 1,000 of them, the path itself among them. Of several shortest lists the one that
 * leads over the most paths is taken, of these the one whose first segment leads furthest, and so on; a node goes
 * before the link that leads to it. A list of hundreds of segments may be longer than the shortest one (`findShortestSplit`).
 */
export function createPathEncoder(router: Router): PathEncoder {
  const { findReach } = createReachFinder(router);
  const { topology } = router;
  return {
    encode(search, path) {
      const nodes = [search.head, ...path.links.map((link) => topology.to[link] as number)];
      const places = new Map(nodes.map((node, place) => [node, place]));
      const waypoints = {
        nodes: new Set(search.via.flatMap((each) => (each.kind === 'node' ? [each.node] : []))),
        links: new Set(search.via.flatMap((each) => (each.kind === 'link' ? [each.link] : []))),
      };
      const candidate = { search, path, nodes, places, waypoints };
      const reaches = new Map<number, Reach>();
      const reachOf = (place: number): Reach => {
        const known = reaches.get(place);
        if (known !== undefined) return known;
        const reach = findReach(candidate, place);
        reaches.set(place, reach);
        return reach;
      };
      return findShortestSplit({ length: path.links.length, reachOf, maxPaths: maxPathsLike(path) }).map(
        ({ end, isLink }): Segment =>
          isLink
            ? { kind: 'link', link: path.links[end - 1] as number }
            : { kind: 'node', node: nodes[end] as number },
      );
    },
  };
}
