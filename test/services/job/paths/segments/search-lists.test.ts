import { expect, test } from 'vitest';
import type { SegmentListReply } from '../../../../../contracts/path-reply.ts';
import { type PathLink, pathAlgorithmSchema, srPolicySchema } from '../../../../../contracts/path-request.ts';
import {
  createNetwork,
  findSegmentLists,
} from '../../../../../services/job/paths/segments/find-segment-lists.ts';
import {
  combine,
  createNaiveNetwork,
  isViaPassed,
  type NaiveSearch,
  naiveCost,
  nodesOf,
  simplePaths,
} from '../../../../helpers/naive-segments.ts';
import { createSeededRandom, type SeededRandom } from '../../../../helpers/seeded-random.ts';
import { drawTiedNetwork } from '../../../../helpers/tied-network.ts';

function drawRequest(random: SeededRandom, links: readonly PathLink[]) {
  const ids = links.flatMap(({ id, remote }) => [id, remote]).filter((id) => id !== 'N0' && id !== 'N1');
  const drawIds = (count: number) => [...new Set(Array.from({ length: count }, () => random.pick(ids)))];
  const include = random.below(4) === 0 ? drawIds(1 + random.below(2)) : [];
  const policy = srPolicySchema.parse({
    id: 'R',
    headend: 'N0',
    tailend: 'N1',
    metric: random.pick(['igp', 'te', 'latency']),
    include,
    exclude: random.below(3) === 0 ? drawIds(1).filter((id) => !include.includes(id)) : [],
  });
  const algorithm = pathAlgorithmSchema.parse({
    algo: random.below(2),
    sorter: random.pick(['metric', 'max_min_band', 'min_hop']),
    top: 1 + random.below(6),
  });
  return { policy, algorithm, requiredBandwidth: random.pick([0, 0, 11]) };
}

/** What is asked for, as brute force is told it. */
function naiveSearch(
  { nodeIds, links }: { nodeIds: string[]; links: PathLink[] },
  { policy, algorithm, requiredBandwidth }: ReturnType<typeof drawRequest>,
): NaiveSearch {
  return {
    links,
    nodeIds,
    isUsable(index) {
      const { id, local, remote, bandwidth } = links[index] ?? raise(`no link ${index}`);
      const isWide = bandwidth === -1 || bandwidth >= requiredBandwidth;
      return isWide && ![id, local, remote].some((each) => policy.exclude.includes(each));
    },
    metric: policy.metric,
    sorter: algorithm.sorter,
    onlyShortest: !algorithm.loose,
    bandwidths: links.map(({ bandwidth }) => bandwidth),
    via: policy.include.map((id) => {
      const link = links.findIndex((each) => each.id === id);
      return link < 0 ? { kind: 'node', node: id } : { kind: 'link', link };
    }),
  };
}

/** By what paths are sorted; links without a metric count as infinitely small. */
function keyOf({ links, metric, sorter, bandwidths }: NaiveSearch, path: readonly number[]): number[] {
  const cost = naiveCost(links, path, metric);
  if (sorter === 'min_hop') return [path.length, ...cost];
  if (sorter === 'metric') return cost;
  return [-Math.min(...path.map((link) => bandwidths[link] ?? Number.NaN)), ...cost];
}

function compareKeys(one: number[], other: number[]): number {
  return one.map((each, index) => each - (other[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
}

/** All paths that are asked for, the best first. */
function allPaths(search: NaiveSearch): number[][] {
  const paths = simplePaths(search.links, 'N0', 'N1', search.isUsable).filter((path) =>
    isViaPassed(search, path),
  );
  const costs = paths.map((path) => naiveCost(search.links, path, search.metric)).sort(compareKeys);
  return paths
    .filter(
      (path) => !search.onlyShortest || `${naiveCost(search.links, path, search.metric)}` === `${costs[0]}`,
    )
    .sort((a, b) => compareKeys(keyOf(search, a), keyOf(search, b)));
}

function worstOf(search: NaiveSearch, paths: number[][]) {
  const sums = (field: 'igp' | 'te' | 'delay') =>
    Math.max(...paths.map((path) => path.reduce((sum, link) => sum + (search.links[link]?.[field] ?? 0), 0)));
  return {
    igp: sums('igp'),
    te: sums('te'),
    delay: Number(sums('delay').toFixed(6)),
    min_hop: Math.max(...paths.map((path) => path.length)),
    max_min_band: Math.min(...paths.flat().map((link) => search.bandwidths[link] ?? Number.NaN)),
  };
}

function raise(message: string): never {
  throw new Error(message);
}

test('on 250 small networks the best paths are led over, by lists that expand to what is told of them', () => {
  const random = createSeededRandom(11);
  const lengths = new Map<number, number>();
  for (let count = 0; count < 250; count += 1) {
    const { nodes, links } = drawTiedNetwork(random);
    const nodeIds = nodes.map(({ id }) => id);
    const request = drawRequest(random, links);
    const search = naiveSearch({ nodeIds, links }, request);
    const naive = createNaiveNetwork(links, nodeIds);
    const bandwidths = Float64Array.from(search.bandwidths);
    const outcome = findSegmentLists(createNetwork(nodes, links), { ...request, bandwidths });
    const wanted = allPaths(search);
    expect(outcome.ok, JSON.stringify({ outcome, links, request })).toBe(wanted.length > 0);
    if (!outcome.ok) continue;
    const { other, ...best } = outcome.data;
    const lists: SegmentListReply[] = [best, ...other];
    lengths.set(lists.length, (lengths.get(lists.length) ?? 0) + 1);

    const name = (path: readonly number[]) => {
      const ids = nodesOf(links, path);
      return path
        .flatMap((link, index) => [ids[index], links[link]?.id])
        .concat(ids.at(-1))
        .join(' ');
    };
    const covered = new Set<string>();
    let lastKey: number[] | undefined;
    for (const list of lists) {
      const segments = list.sids.map(({ id }) => {
        const link = links.findIndex((each) => each.id === id);
        return link < 0 ? ({ kind: 'node', node: id } as const) : ({ kind: 'link', link } as const);
      });
      const expanded = naive.expand('N0', segments) ?? raise('a list that leads nowhere');
      const paths = combine(expanded);
      expect(list.segs.map((paths) => paths.map((path) => path.join(' ')).sort())).toEqual(
        expanded.map((paths) => paths.map(name).sort()),
      );
      expect(list.paths.map((path) => path.join(' ')).sort()).toEqual(paths.map(name).sort());
      expect(list.attr).toEqual(worstOf(search, paths));
      // The path that the list was made for is none of those before, and no better than they are.
      const fresh = paths.filter(
        (path) => !covered.has(name(path)) && naive.findFault(search, path, segments) === undefined,
      );
      const key = fresh.map((path) => keyOf(search, path)).sort(compareKeys)[0] ?? raise('a list of no use');
      expect(compareKeys(key, lastKey ?? key)).toBeGreaterThanOrEqual(0);
      lastKey = key;
      for (const path of paths) covered.add(name(path));
    }
    // Of equally good paths any may have been looked at.
    const lookedAt = wanted.slice(0, request.algorithm.top);
    const worst = lookedAt.at(-1) ?? raise('no path');
    const surelyLookedAt = lookedAt.filter(
      (path) => compareKeys(keyOf(search, path), keyOf(search, worst)) < 0,
    );
    for (const path of surelyLookedAt) expect(covered).toContain(name(path));
    expect(covered.size).toBeGreaterThanOrEqual(lookedAt.length);
  }
  expect(lengths.size).toBeGreaterThan(4);
});
