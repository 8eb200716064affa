// Segments → the paths that packets take: of a segment to a node all shortest ones, of several segments all combinations.
import type { Router } from '../network/router.ts';
import type { Topology } from '../network/topology.ts';
import { endOfSegment, type Segment } from './segments.ts';

/** Links, one after the other. */
export type Path = readonly number[];

/**
 * Of each segment its equal-cost paths, in the order of their links. There can be very many: only for lists whose
 * number of paths is known to be small, as that of `encodePath` is.
 */
export function expandSegments(router: Router, head: number, segments: readonly Segment[]): Path[][] {
  let from = head;
  return segments.map((segment) => {
    const paths = expandSegment(router, from, segment);
    from = endOfSegment(router.topology, segment);
    return paths;
  });
}

/** All combinations of a path of each segment, the last one changing first. */
export function joinSegments(segments: readonly Path[][]): Path[] {
  let joined: number[][] = [[]];
  for (const paths of segments) {
    const [only] = paths;
    // Most segments have one path: nothing is copied then.
    if (only !== undefined && paths.length === 1) for (const before of joined) before.push(...only);
    else joined = joined.flatMap((before) => paths.map((path) => [...before, ...path]));
  }
  return joined;
}

/** Nodes and links by turns: `["P1", "P1:30012", "P2"]`. */
export function nameHops({ nodes, links, from, to }: Topology, path: Path): string[] {
  const [first] = path;
  if (first === undefined) return [];
  const hops = [nodes[from[first] as number]?.id ?? ''];
  for (const link of path) hops.push(links[link]?.id ?? '', nodes[to[link] as number]?.id ?? '');
  return hops;
}

function expandSegment(router: Router, from: number, segment: Segment): Path[] {
  if (segment.kind === 'link') return [[segment.link]];
  const { topology } = router;
  const onward = new Map<number, number[]>();
  for (const link of router.segmentLinks(from, segment.node)) {
    const node = topology.from[link] as number;
    const links = onward.get(node);
    if (links === undefined) onward.set(node, [link]);
    else links.push(link);
  }
  const paths: Path[] = [];
  const path: number[] = [];
  // Depth first without recursion, as a path may have more links than there is room for on the stack.
  const open = [{ node: from, next: 0 }];
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const link = onward.get(top.node)?.[top.next];
    top.next += 1;
    if (top.node === segment.node) paths.push([...path]);
    if (link === undefined || top.node === segment.node) {
      open.pop();
      path.pop();
      continue;
    }
    path.push(link);
    open.push({ node: topology.to[link] as number, next: 0 });
  }
  return paths;
}
