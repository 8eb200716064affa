// Segment lists by brute force, straight from what they are to mean: for networks of a few nodes only.
import type { PathLink } from '../../contracts/path-request.ts';

/** Links by index. */
type Path = readonly number[];
export type NaiveSegment = { kind: 'node'; node: string } | { kind: 'link'; link: number };
export type NaiveWaypoint = { kind: 'node'; node: string } | { kind: 'link'; link: number };

export type NaiveSearch = {
  links: readonly PathLink[];
  nodeIds: readonly string[];
  isUsable: (link: number) => boolean;
  metric: 'igp' | 'te' | 'latency';
  sorter: 'metric' | 'max_min_band' | 'min_hop';
  onlyShortest: boolean;
  bandwidths: readonly number[];
  via: readonly NaiveWaypoint[];
};

/** All paths without a node twice. */
export function simplePaths(
  links: readonly PathLink[],
  from: string,
  to: string,
  isUsable: (link: number) => boolean = () => true,
): number[][] {
  const found: number[][] = [];
  const extend = (node: string, path: number[], passed: string[]): void => {
    if (node === to) {
      found.push(path);
      return;
    }
    for (const [index, { local, remote }] of links.entries()) {
      if (local !== node || passed.includes(remote) || !isUsable(index)) continue;
      extend(remote, [...path, index], [...passed, remote]);
    }
  };
  extend(from, [], [from]);
  return found;
}

/** The sum of a metric, and how many links have none: these count as infinitely small. */
export function naiveCost(
  links: readonly PathLink[],
  path: Path,
  metric: NaiveSearch['metric'],
): [number, number] {
  const costs = path.map((index) => {
    const link = linkAt(links, index);
    return metric === 'latency' ? Math.round(link.delay * 1000) : link[metric];
  });
  return [costs.reduce((sum, cost) => sum + cost, 0), costs.filter((cost) => cost === 0).length];
}

export function createNaiveNetwork(links: readonly PathLink[], nodeIds: readonly string[]) {
  const known = new Map<string, number[][]>();

  const shortestPaths = (from: string, to: string): number[][] => {
    const key = `${from} ${to}`;
    const found = known.get(key) ?? leastOf(links, simplePaths(links, from, to));
    known.set(key, found);
    return found;
  };

  /** Undefined where packets cannot follow the list. */
  const expand = (head: string, segments: readonly NaiveSegment[]): number[][][] | undefined => {
    let at = head;
    const expanded: number[][][] = [];
    for (const segment of segments) {
      const link = segment.kind === 'link' ? linkAt(links, segment.link) : undefined;
      if (link !== undefined && link.local !== at) return undefined;
      const paths = segment.kind === 'link' ? [[segment.link]] : shortestPaths(at, segment.node);
      if (paths.length === 0) return undefined;
      expanded.push(paths);
      at = link?.remote ?? (segment.kind === 'node' ? segment.node : at);
    }
    return expanded;
  };

  const endOf = (segment: NaiveSegment): string =>
    segment.kind === 'node' ? segment.node : linkAt(links, segment.link).remote;

  /** Why a list does not stand for the path; undefined when it does. */
  const findFault = (
    search: NaiveSearch,
    path: Path,
    segments: readonly NaiveSegment[],
  ): string | undefined => {
    const head = linkAt(links, path[0] ?? -1).local;
    const expanded = expand(head, segments);
    if (expanded === undefined) return 'leads nowhere';
    const paths = combine(expanded);
    if (paths.length > 1000) return 'too many paths';
    if (!paths.some((each) => `${each}` === `${path}`)) return 'does not lead over the path';
    const value = valueOfPaths(search, paths);
    if (`${value}` !== `${valueOfPaths(search, [path])}`) return 'another value';
    for (const each of paths) {
      if (!each.every(search.isUsable)) return 'a link that must not be used';
      const nodes = nodesOf(links, each);
      if (new Set(nodes).size !== nodes.length) return 'a loop';
      if (!isViaPassed(search, each)) return 'a waypoint is missed';
      const isCostFixed = search.onlyShortest || search.sorter === 'metric';
      const costs = [each, path].map((one) => `${naiveCost(links, one, search.metric)}`);
      if (isCostFixed && costs[0] !== costs[1]) return 'another cost';
      if (search.sorter === 'min_hop' && each.length !== path.length) return 'another number of hops';
    }
    return undefined;
  };

  /** All lists that stand for the path and have as few segments as any; of the lists with more there is none. */
  const shortestLists = (search: NaiveSearch, path: Path): NaiveSegment[][] => {
    const head = linkAt(links, path[0] ?? -1).local;
    const all: NaiveSegment[] = [
      ...nodeIds.map((node) => ({ kind: 'node' as const, node })),
      ...links.map((_, link) => ({ kind: 'link' as const, link })),
    ];
    type Beginning = { list: NaiveSegment[]; at: string; paths: number[][] };
    const extend = ({ list, at, paths }: Beginning): Beginning[] =>
      all.flatMap((segment) => {
        const [onward] = expand(at, [segment]) ?? [];
        if (onward === undefined) return [];
        const extended = combine([paths, onward]);
        // What begins a list for the path leads over the beginning of the path, whatever else it leads over.
        const isBeginning = extended.some(
          (each) => each.length > 0 && each.every((link, index) => link === path[index]),
        );
        return isBeginning ? [{ list: [...list, segment], at: endOf(segment), paths: extended }] : [];
      });
    let beginnings: Beginning[] = [{ list: [], at: head, paths: [[]] }];
    while (beginnings.length > 0) {
      beginnings = beginnings.flatMap(extend);
      const whole = beginnings.filter(({ paths }) => paths.some((each) => each.length === path.length));
      const fitting = whole.filter(({ list }) => findFault(search, path, list) === undefined);
      if (fitting.length > 0) return fitting.map(({ list }) => list);
    }
    return [];
  };

  return { shortestPaths, expand, endOf, findFault, shortestLists };
}

/** Of several paths the worst, as paths are compared. */
function valueOfPaths({ sorter, bandwidths }: NaiveSearch, paths: readonly Path[]): number {
  if (sorter !== 'max_min_band') return 0;
  return Math.min(...paths.flat().map((link) => bandwidths[link] ?? Number.NaN));
}

/** In their order. */
export function isViaPassed({ links, via }: NaiveSearch, path: Path): boolean {
  const steps = path.flatMap((link) => [`link ${link}`, `node ${linkAt(links, link).remote}`]);
  let from = 0;
  return via.every((waypoint) => {
    const name = waypoint.kind === 'link' ? `link ${waypoint.link}` : `node ${waypoint.node}`;
    from = steps.indexOf(name, from) + 1;
    return from > 0;
  });
}

export function nodesOf(links: readonly PathLink[], path: Path): string[] {
  return [linkAt(links, path[0] ?? -1).local, ...path.map((link) => linkAt(links, link).remote)];
}

export function combine(expanded: readonly (readonly Path[])[]): number[][] {
  return expanded.reduce<number[][]>(
    (joined, paths) => joined.flatMap((before) => paths.map((path) => [...before, ...path])),
    [[]],
  );
}

function leastOf(links: readonly PathLink[], paths: number[][]): number[][] {
  const compare = (a: Path, b: Path): number => {
    const [[sum, zeros], [otherSum, otherZeros]] = [naiveCost(links, a, 'igp'), naiveCost(links, b, 'igp')];
    return sum - otherSum || zeros - otherZeros;
  };
  const [best] = paths.toSorted(compare);
  return best === undefined ? [] : paths.filter((path) => compare(path, best) === 0);
}

function linkAt(links: readonly PathLink[], index: number): PathLink {
  const link = links[index];
  if (link === undefined) throw new Error(`no link ${index}`);
  return link;
}
