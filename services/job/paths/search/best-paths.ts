// Loopless paths from one node to another, the best first, each one computed when it is asked for.
import { distances } from '../network/distances.ts';
import type { Topology } from '../network/topology.ts';
import { compareLinks } from './path-order.ts';
import { planStages, type Stage } from './plan-stages.ts';
import { rankPaths } from './rank-paths.ts';
import { SearchTooHardError } from './search-too-hard-error.ts';

export { SearchTooHardError } from './search-too-hard-error.ts';

/** What a path has to pass, by index. */
export type Waypoint = { kind: 'node'; node: number } | { kind: 'link'; link: number };

export type PathSearch = {
  topology: Topology;
  head: number;
  tail: number;
  /** In the order in which they are passed. */
  via: readonly Waypoint[];
  /** By link: 0 where it must not be taken. */
  isUsable: Uint8Array;
  /** By link, above 0, whole numbers (`linkCosts`). */
  costs: Float64Array;
  sorter: 'metric' | 'min_hop' | 'max_min_band';
  /** By link. */
  bandwidths: Float64Array;
  /** Whether only paths of the least cost there is are wanted. */
  onlyShortest: boolean;
};

export type FoundPath = {
  /** By index, from head to tail. */
  links: readonly number[];
  /** The sum of the costs. */
  cost: number;
  hops: number;
  /** The least of the bandwidths. */
  bandwidth: number;
};

/** Paths of equal cost that are compared where their cost is not that of the stages, each the shortest. */
const maxCompared = 1000;

/**
 * Every path once, in the order of the sorter: `metric` by cost, then hops; `min_hop` by hops, then cost; `max_min_band`
 * by bandwidth, the widest first, then cost, then hops. Ties go by the indexes of the links where the paths part, or with
 * waypoints in some order that is always the same. None where the waypoints cannot be passed. Throws SearchTooHardError
 * when stages between waypoints cannot be kept apart in reasonable time.
 */
export function* findBestPaths(search: PathSearch): Generator<FoundPath, void> {
  const stages = planStages(search);
  if (stages === undefined) return;
  if (!search.onlyShortest) {
    yield* rank(search, stages, search.sorter);
  } else if (search.sorter === 'max_min_band') {
    yield* findWidestOfShortest(search, stages);
  } else {
    yield* findShortest(search, stages);
  }
}

function* rank(
  search: PathSearch,
  stages: readonly Stage[],
  sorter: PathSearch['sorter'],
): Generator<FoundPath, void> {
  const { topology, costs, bandwidths } = search;
  const ones = new Float64Array(costs.length).fill(1);
  const [first, second] = sorter === 'min_hop' ? [ones, costs] : [costs, ones];
  const isWidestFirst = sorter === 'max_min_band';
  for (const links of rankPaths({ topology, stages, first, second, bandwidths, isWidestFirst })) {
    yield describe(search, links);
  }
}

/** By hops, which is the order of `metric` and that of `min_hop` too where the cost is the same. */
function* findShortest(search: PathSearch, stages: readonly Stage[]): Generator<FoundPath, void> {
  let least: number | undefined;
  for (const path of rank(search, stages, 'metric')) {
    least ??= path.cost;
    if (path.cost > least) return;
    yield path;
  }
}

function* findWidestOfShortest(search: PathSearch, stages: readonly Stage[]): Generator<FoundPath, void> {
  const shortest = stages.map((stage) => keepShortest(search, stage));
  const bound = shortest.reduce((sum, { cost }) => sum + cost, 0);
  if (bound === Number.POSITIVE_INFINITY) return;
  const [best] = rank(search, stages, 'metric');
  if (best === undefined) return;
  // As short as stages can be: then each stage of each shortest path is a shortest one.
  if (best.cost === bound) {
    const tight = shortest.map(({ stage }) => stage);
    yield* rank(search, tight, 'max_min_band');
    return;
  }
  const paths: FoundPath[] = [];
  for (const path of findShortest(search, stages)) {
    if (paths.length === maxCompared) {
      throw new SearchTooHardError(`more than ${maxCompared} paths of equal cost lead over the waypoints`);
    }
    paths.push(path);
  }
  yield* paths.sort(
    (one, other) =>
      other.bandwidth - one.bandwidth || one.hops - other.hops || compareLinks(one.links, other.links),
  );
}

/** The links that are part of shortest ways through the stage. */
function keepShortest({ topology, costs }: PathSearch, stage: Stage): { cost: number; stage: Stage } {
  if (stage.forced !== undefined) return { cost: costs[stage.forced] as number, stage };
  const { isUsable } = stage;
  const before = distances(topology, costs, { origin: stage.from, direction: 'from', isUsable });
  const cost = before[stage.to] as number;
  const after = distances(topology, costs, {
    origin: stage.to,
    direction: 'to',
    isUsable,
    limitAt: cost,
  });
  const isShortest = isUsable.map((usable, link) => {
    const sum =
      (before[topology.from[link] as number] as number) +
      (costs[link] as number) +
      (after[topology.to[link] as number] as number);
    return usable === 1 && sum === cost ? 1 : 0;
  });
  return { cost, stage: { ...stage, isUsable: isShortest } };
}

function describe({ costs, bandwidths }: PathSearch, links: readonly number[]): FoundPath {
  let cost = 0;
  let bandwidth = Number.POSITIVE_INFINITY;
  for (const link of links) {
    cost += costs[link] as number;
    bandwidth = Math.min(bandwidth, bandwidths[link] as number);
  }
  return { links, cost, hops: links.length, bandwidth };
}
