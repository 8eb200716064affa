// All loopless paths of a small network, by trying every one: what searches are held against.
import type { FoundPath, PathSearch } from '../../services/job/paths/search/best-paths.ts';

/** Those that the search may find, of all loopless paths that pass its waypoints, in the order that it promises. */
export function rankSimplePaths(search: PathSearch, paths: readonly FoundPath[]): FoundPath[] {
  const least = Math.min(...paths.map(({ cost }) => cost));
  return paths
    .filter(({ cost }) => !search.onlyShortest || cost === least)
    .map((path) => ({ path, key: [...valueOfPath(search, path), ...path.links] }))
    .sort((one, other) => compare(one.key, other.key))
    .map(({ path }) => path);
}

/** What paths are sorted by, in ascending order. */
export function valueOfPath(
  { sorter }: Pick<PathSearch, 'sorter'>,
  { cost, hops, bandwidth }: FoundPath,
): number[] {
  if (sorter === 'metric') return [cost, hops];
  return sorter === 'min_hop' ? [hops, cost] : [-bandwidth, cost, hops];
}

/** All loopless paths over usable links that pass the waypoints, in no order. */
export function listSimplePaths(search: PathSearch): FoundPath[] {
  return listPaths(search).map((links) => describe(search, links));
}

function listPaths({ topology, head, tail, via, isUsable }: PathSearch): number[][] {
  const found: number[][] = [];
  const visited = new Set([head]);
  const way: number[] = [];
  const walk = (node: number): void => {
    if (node === tail) {
      if (passesAll(way)) found.push([...way]);
      return;
    }
    for (const link of topology.links.keys()) {
      const next = topology.to[link] ?? -1;
      if (topology.from[link] !== node || isUsable[link] === 0 || visited.has(next)) continue;
      visited.add(next);
      way.push(link);
      walk(next);
      way.pop();
      visited.delete(next);
    }
  };
  /** Nodes and links of the path by turns: the waypoints have to be among them, in their order. */
  const passesAll = (links: readonly number[]): boolean => {
    const passed = [
      `node ${head}`,
      ...links.flatMap((link) => [`link ${link}`, `node ${topology.to[link]}`]),
    ];
    let place = 0;
    for (const waypoint of via) {
      const name = waypoint.kind === 'node' ? `node ${waypoint.node}` : `link ${waypoint.link}`;
      const at = passed.indexOf(name, place);
      if (at === -1) return false;
      place = at + 1;
    }
    return true;
  };
  walk(head);
  return found;
}

function describe({ costs, bandwidths }: PathSearch, links: readonly number[]): FoundPath {
  return {
    links,
    cost: links.reduce((sum, link) => sum + (costs[link] ?? 0), 0),
    hops: links.length,
    bandwidth: Math.min(...links.map((link) => bandwidths[link] ?? 0)),
  };
}

function compare(one: readonly number[], other: readonly number[]): number {
  const place = one.findIndex((value, index) => value !== other[index]);
  return (one[place] ?? 0) - (other[place] ?? 0);
}
