// How far along a path one segment to a node leads without leaving what the path stands for.
import type { Router } from '../network/router.ts';
import type { FoundPath, PathSearch } from '../search/best-paths.ts';

/** A list of segments that may lead over more paths than this is not acceptable: nobody could look at them, */
const maxExpandedPaths = 1000;
/** and of long ones, as many as have so many links in all: they are told link by link. */
const maxExpandedLinks = 200_000;

/** How many paths a list may lead over that leads over this one. */
export function maxPathsLike({ links }: Pick<FoundPath, 'links'>): number {
  return Math.max(1, Math.min(maxExpandedPaths, Math.floor(maxExpandedLinks / links.length)));
}

/** Segments that may be longer are looked at step by step: those of a very long path can be short, each of them. */
const firstHorizon = 64;

/** A path, and what decides whether another one is as good. */
export type Candidate = {
  search: PathSearch;
  path: FoundPath;
  /** Nodes of the path: one more than it has links. */
  nodes: readonly number[];
  /** By node: its place in `nodes`. */
  places: ReadonlyMap<number, number>;
  /** What all paths have to pass. */
  waypoints: { nodes: ReadonlySet<number>; links: ReadonlySet<number> };
};

/** Of the segments from one node of the path to the next one, to the one after it, …, as far as they are acceptable. */
export type Reach = {
  /** How many equal-cost paths each has. */
  pathCounts: number[];
  /** Nodes beside the path that they may lead over; each segment over those of the one before, and some more. */
  strangers: number[];
  /** How many of the strangers are of each segment. */
  strangerCounts: number[];
};

export type ReachFinder = { findReach(candidate: Candidate, place: number): Reach };

type Walk = { candidate: Candidate; place: number; distances: Float64Array };

/**
 * All equal-cost paths of a segment must be usable, be as good as the part of the path that they stand for, pass its
 * waypoints, and meet no other node of the path. Where a segment fails, so does each longer one from the same node,
 * whose paths contain those of the shorter one: the first fault ends the search. And what two paths to some node
 * disagree in they disagree in for good, so that one value at each node is enough.
 */
export function createReachFinder(router: Router): ReachFinder {
  const { topology, costs: igp } = router;
  const nodeCount = topology.nodes.length;
  // Of nodes that the walk saw which has the number `walkNumber`; those of earlier walks are left as they are.
  const seenIn = new Float64Array(nodeCount);
  const pathCounts = new Float64Array(nodeCount);
  const costs = new Float64Array(nodeCount);
  const hops = new Float64Array(nodeCount);
  const passings = new Float64Array(nodeCount);
  let walkNumber = 0;

  const startAt = (source: number): void => {
    walkNumber += 1;
    seenIn[source] = walkNumber;
    pathCounts[source] = 1;
    for (const sums of [costs, hops, passings]) sums[source] = 0;
  };

  /** The nodes of the shortest paths to a place that no earlier place had, nearest first; undefined: not acceptable. */
  const findNewNodes = ({ candidate, place, distances }: Walk, end: number): number[] | undefined => {
    const { nodes, places, search, path } = candidate;
    const leastBandwidth = search.sorter === 'max_min_band' ? path.bandwidth : Number.NEGATIVE_INFINITY;
    const found = [nodes[end] as number];
    seenIn[nodes[end] as number] = walkNumber;
    // An array that grows while it is read.
    for (const node of found) {
      for (const link of router.tightLinks(distances, node)) {
        if (search.isUsable[link] === 0 || (search.bandwidths[link] as number) < leastBandwidth)
          return undefined;
        const before = topology.from[link] as number;
        if (seenIn[before] === walkNumber) continue;
        const itsPlace = places.get(before) ?? place;
        if (itsPlace < place || itsPlace > end) return undefined;
        seenIn[before] = walkNumber;
        found.push(before);
      }
    }
    return found.sort((a, b) => (distances[a] as number) - (distances[b] as number));
  };

  /** Sums up at a node what is known of those before it; false when its paths disagree, or are too many. */
  const addUp = ({ candidate, distances }: Walk, node: number): boolean => {
    const { search, waypoints } = candidate;
    const isCostFixed = search.onlyShortest || search.sorter === 'metric';
    const areHopsFixed = search.sorter === 'min_hop';
    let count = 0;
    for (const link of router.tightLinks(distances, node)) {
      const before = topology.from[link] as number;
      const cost = (costs[before] as number) + (search.costs[link] as number);
      const hop = (hops[before] as number) + 1;
      const passing = Number(waypoints.links.has(link)) + Number(waypoints.nodes.has(node));
      const passed = (passings[before] as number) + passing;
      if (count > 0) {
        if (isCostFixed && cost !== costs[node]) return false;
        if (areHopsFixed && hop !== hops[node]) return false;
        if (passed !== passings[node]) return false;
      }
      costs[node] = cost;
      hops[node] = hop;
      passings[node] = passed;
      count += pathCounts[before] as number;
    }
    pathCounts[node] = count;
    return count <= maxPathsLike(candidate.path);
  };

  /** From the node at a place, at least of those that are no further away than the node at another one. */
  const distancesUpTo = ({ nodes, path }: Candidate, place: number, horizon: number): Float64Array => {
    const source = nodes[place] as number;
    if (horizon >= path.links.length) return router.distancesFrom(source);
    let limitAt = 0;
    for (const link of path.links.slice(place, horizon)) limitAt += igp[link] as number;
    return router.distancesFrom(source, limitAt);
  };

  const findReach = (candidate: Candidate, place: number): Reach => {
    const { nodes, places, path } = candidate;
    const reach: Reach = { pathCounts: [], strangers: [], strangerCounts: [] };
    if (!router.isShortest(path.links[place] as number)) return reach;
    const source = nodes[place] as number;
    const walk: Walk = { candidate, place, distances: new Float64Array() };
    let distance = 0;
    let horizon = place;
    startAt(source);
    for (let end = place + 1; end < nodes.length; end += 1) {
      if (end > horizon) {
        horizon = place + Math.max(2 * (horizon - place), firstHorizon);
        walk.distances = distancesUpTo(candidate, place, horizon);
      }
      const node = nodes[end] as number;
      distance += igp[path.links[end - 1] as number] as number;
      if (walk.distances[node] !== distance) break;
      const found = findNewNodes(walk, end);
      if (found === undefined || !found.every((each) => addUp(walk, each))) break;
      reach.strangers.push(...found.filter((each) => !places.has(each)));
      reach.pathCounts.push(pathCounts[node] as number);
      reach.strangerCounts.push(reach.strangers.length);
    }
    return reach;
  };

  return { findReach };
}
