import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { type PathLink, pathLinkSchema, pathNodeSchema } from '../../../../../contracts/path-request.ts';
import type { FoundPath, PathSearch, Waypoint } from '../../../../../services/job/paths/search/best-paths.ts';
import { createPathEncoder } from '../../../../../services/job/paths/segments/encode-path.ts';
import {
  createNetwork,
  type Network,
} from '../../../../../services/job/paths/segments/find-segment-lists.ts';
import type { Segment } from '../../../../../services/job/paths/segments/segments.ts';
import {
  combine,
  createNaiveNetwork,
  type NaiveSearch,
  type NaiveSegment,
  nodesOf,
  simplePaths,
} from '../../../../helpers/naive-segments.ts';
import { createSeededRandom, type SeededRandom } from '../../../../helpers/seeded-random.ts';
import { drawTiedNetwork } from '../../../../helpers/tied-network.ts';

/** A path that could have been found, and what it was looked for by. */
function drawCandidate(random: SeededRandom, links: readonly PathLink[]) {
  const closed = new Set(links.map((_, index) => index).filter(() => random.below(30) === 0));
  const isUsable = (link: number) => !closed.has(link);
  const [path] = simplePaths(links, 'N0', 'N1', isUsable)
    .map((each) => ({ each, rank: random.below(1000) }))
    .sort((a, b) => a.rank - b.rank);
  if (path === undefined) return undefined;
  const steps = path.each.flatMap((link, index): NaiveSearch['via'] => [
    { kind: 'link', link },
    ...(index < path.each.length - 1 ? [{ kind: 'node' as const, node: links[link]?.remote ?? '' }] : []),
  ]);
  return {
    path: path.each,
    isUsable,
    metric: random.pick(['igp', 'te', 'latency'] as const),
    sorter: random.pick(['metric', 'max_min_band', 'min_hop'] as const),
    onlyShortest: random.below(2) === 0,
    via: random.below(3) === 0 ? steps.filter(() => random.below(3) === 0) : [],
  };
}

type Drawn = NonNullable<ReturnType<typeof drawCandidate>>;

function encode({ topology, encoder, costsOf }: Network, drawn: Drawn): Segment[] {
  const { path, isUsable, metric, sorter, onlyShortest, via } = drawn;
  const indexOf = (id: string) => topology.nodeIndex.get(id) ?? -1;
  const ends = nodesOf(topology.links, path).map(indexOf);
  const costs = costsOf(metric);
  const bandwidths = Float64Array.from(topology.links, ({ bandwidth }) => bandwidth);
  const search: PathSearch = {
    topology,
    head: ends[0] ?? -1,
    tail: ends.at(-1) ?? -1,
    via: via.map(
      (waypoint): Waypoint =>
        waypoint.kind === 'link' ? waypoint : { kind: 'node', node: indexOf(waypoint.node) },
    ),
    isUsable: Uint8Array.from(topology.links, (_, link) => (isUsable(link) ? 1 : 0)),
    costs,
    sorter,
    bandwidths,
    onlyShortest,
  };
  const found: FoundPath = {
    links: path,
    cost: path.reduce((sum, link) => sum + (costs[link] ?? 0), 0),
    hops: path.length,
    bandwidth: Math.min(...path.map((link) => bandwidths[link] ?? -1)),
  };
  return encoder.encode(search, found);
}

function byId({ topology }: Network, segment: Segment): NaiveSegment {
  return segment.kind === 'link' ? segment : { kind: 'node', node: topology.nodes[segment.node]?.id ?? '' };
}

describe('createPathEncoder', () => {
  test('finds the list that brute force finds, on 300 paths of small networks', () => {
    const random = createSeededRandom(7);
    const lengths: number[] = [];
    const wrong: object[] = [];
    for (let count = 0; count < 300; ) {
      const { nodes, links } = drawTiedNetwork(random);
      const nodeIds = nodes.map(({ id }) => id);
      const network = createNetwork(nodes, links);
      const naive = createNaiveNetwork(links, nodeIds);
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const drawn = drawCandidate(random, links);
        if (drawn === undefined) continue;
        const search = { ...drawn, links, nodeIds, bandwidths: links.map(({ bandwidth }) => bandwidth) };
        const found = encode(network, drawn).map((segment) => byId(network, segment));
        const [best] = naive
          .shortestLists(search, drawn.path)
          .toSorted((a, b) => compareLists(naive, nodesOf(links, drawn.path), a, b));
        const fault = naive.findFault(search, drawn.path, found);
        if (fault !== undefined || !isDeepStrictEqual(found, best))
          wrong.push({ fault, found, best, drawn, links });
        lengths.push(found.length);
        count += 1;
      }
    }
    expect(wrong).toEqual([]);
    expect(new Set(lengths).size).toBeGreaterThan(3);
  });
});

test('does not look all along a long path from each of its nodes', () => {
  const count = 1000;
  const nodes = Array.from({ length: count }, (_, index) =>
    pathNodeSchema.parse({ id: `N${index}`, sid: index }),
  );
  const linkBy = (step: number, igp: number, sid: number | null) => (index: number) =>
    pathLinkSchema.parse({
      id: `L${index}.${step}`,
      local: `N${index}`,
      remote: `N${index + step}`,
      igp,
      sid,
    });
  // Two links together are no shortest path: it is that over the one without a SID.
  const path = Array.from({ length: count - 1 }, (_, index) => index);
  const beside = path.slice(1).map((index) => linkBy(2, 19, null)(index - 1));
  const { topology, router, costsOf } = createNetwork(nodes, [...path.map(linkBy(1, 10, 1)), ...beside]);
  let reached = 0;
  const encoder = createPathEncoder({
    ...router,
    distancesFrom: (...given) => {
      const distances = router.distancesFrom(...given);
      reached += distances.filter(Number.isFinite).length;
      return distances;
    },
  });
  const bandwidths = new Float64Array(topology.links.length);
  const isUsable = Uint8Array.from(topology.links, ({ sid }) => (sid === 1 ? 1 : 0));
  const costs = costsOf('te');
  const ends = { topology, head: 0, tail: count - 1, via: [] };
  const search: PathSearch = { ...ends, isUsable, costs, sorter: 'metric', bandwidths, onlyShortest: true };
  const found = { links: path, cost: count - 1, hops: count - 1, bandwidth: 0 };
  expect(encoder.encode(search, found)).toEqual(path.map((index) => ({ kind: 'node', node: index + 1 })));
  expect(reached).toBeLessThan(100 * count);
});

type Naive = ReturnType<typeof createNaiveNetwork>;

/** Most paths first, then whose first segment leads further, and so on; nodes before links. */
function compareLists(
  { expand, endOf }: Naive,
  nodes: readonly string[],
  one: readonly NaiveSegment[],
  other: readonly NaiveSegment[],
): number {
  const [pathCount = 0, otherCount = 0] = [one, other].map(
    (list) => combine(expand(nodes[0] ?? '', list) ?? []).length,
  );
  if (pathCount !== otherCount) return otherCount - pathCount;
  for (const [index, segment] of one.entries()) {
    const against = other[index];
    if (against === undefined) continue;
    const further = nodes.indexOf(endOf(against)) - nodes.indexOf(endOf(segment));
    if (further !== 0) return further;
    if (segment.kind !== against.kind) return segment.kind === 'node' ? -1 : 1;
  }
  return 0;
}
