import { describe, expect, test } from 'vitest';
import { linkCosts } from '../../../../../services/job/paths/network/link-costs.ts';
import { createTopology } from '../../../../../services/job/paths/network/topology.ts';
import {
  type FoundPath,
  findBestPaths,
  type PathSearch,
  SearchTooHardError,
  type Waypoint,
} from '../../../../../services/job/paths/search/best-paths.ts';
import { gridPairs, pairedNetwork, randomNetwork } from '../../../../helpers/drawn-network.ts';
import { createSeededRandom, type SeededRandom } from '../../../../helpers/seeded-random.ts';
import { listSimplePaths, rankSimplePaths, valueOfPath } from '../../../../helpers/simple-paths.ts';

const sorters = ['metric', 'min_hop', 'max_min_band'] as const;

function searchOf(
  network: Parameters<typeof createTopology> | ReturnType<typeof pairedNetwork>,
  given: Pick<PathSearch, 'head' | 'tail'> & Partial<PathSearch>,
): PathSearch {
  const [nodes, links] = Array.isArray(network) ? network : [network.nodes, network.links];
  const topology = createTopology(nodes, links);
  return {
    topology,
    via: [],
    isUsable: new Uint8Array(links.length).fill(1),
    costs: linkCosts(topology, 'igp'),
    sorter: 'metric',
    bandwidths: Float64Array.from(links, ({ bandwidth }) => bandwidth),
    onlyShortest: false,
    ...given,
  };
}

function take(search: PathSearch, count: number): FoundPath[] {
  const paths: FoundPath[] = [];
  for (const path of findBestPaths(search)) {
    paths.push(path);
    if (paths.length === count) break;
  }
  return paths;
}

function pickWaypoints(
  random: SeededRandom,
  { topology, head, tail }: PathSearch,
  count: number,
): Waypoint[] {
  const inner = [...topology.nodes.keys()].filter((node) => node !== head && node !== tail);
  const links = [...topology.links.keys()].filter(
    (link) => topology.from[link] !== tail && topology.to[link] !== head,
  );
  return Array.from({ length: Math.min(count, inner.length) }, (): Waypoint => {
    if (links.length > 0 && random.below(3) === 0) return { kind: 'link', link: random.pick(links) };
    // Not twice: a request with the same waypoint twice is refused.
    return { kind: 'node', node: inner.splice(random.below(inner.length), 1)[0] ?? head };
  });
}

/** With waypoints, paths of the same value may come in another order. */
function findFault(
  search: PathSearch,
  found: readonly FoundPath[],
  expected: readonly FoundPath[],
  names: ReadonlySet<string>,
): string | undefined {
  const foundNames = found.map(({ links }) => links.join());
  const tell = (path: FoundPath) => JSON.stringify(search.via.length > 0 ? valueOfPath(search, path) : path);
  if (found.map(tell).join() !== expected.map(tell).join()) {
    return `${JSON.stringify(found)} instead of ${JSON.stringify(expected)}`;
  }
  if (new Set(foundNames).size < found.length) return `one of ${foundNames.join(' and ')} comes twice`;
  const wrong = foundNames.filter((name) => !names.has(name));
  return wrong.length > 0 ? `${wrong.join(' and ')} are no paths` : undefined;
}

describe('findBestPaths', () => {
  test('agrees with trying every path on 2,000 small networks', () => {
    const random = createSeededRandom(7);
    const faults: string[] = [];
    const seen = { paths: 0, none: 0, ties: 0, waypoints: 0 };
    for (let round = 0; round < 2000; round += 1) {
      const nodes = 4 + random.below(5);
      const shape = {
        nodes,
        links: 2 * nodes + random.below(4 * nodes),
        metrics: random.pick([[1], [0, 1, 2], [1, 2, 3, 10], [0]]),
      };
      const metric = random.pick(['igp', 'te', 'latency'] as const);
      const network = randomNetwork(random, shape);
      const head = random.below(nodes);
      const plain = searchOf(network, { head, tail: (head + 1 + random.below(nodes - 1)) % nodes });
      const costs = linkCosts(plain.topology, metric);
      const isUsable = plain.isUsable.map(() => Number(random.below(16) > 0));
      const via = pickWaypoints(random, plain, random.pick([0, 1, 1, 2]));
      const all = listSimplePaths({ ...plain, costs, isUsable, via });
      const names = new Set(all.map(({ links }) => links.join()));
      seen.waypoints += Number(via.length > 0 && all.length > 0);
      for (const sorter of sorters) {
        for (const onlyShortest of [false, true]) {
          const search = { ...plain, costs, isUsable, via, sorter, onlyShortest };
          const found = take(search, 50);
          const fault = findFault(search, found, rankSimplePaths(search, all).slice(0, 50), names);
          if (fault !== undefined) faults.push(`round ${round}, ${sorter}, ${onlyShortest}: ${fault}`);
          seen.paths += found.length;
          seen.none += Number(found.length === 0);
          seen.ties += found.filter(({ cost }, place) => cost === found[place - 1]?.cost).length;
        }
      }
    }
    expect(faults).toEqual([]);
    expect(seen.paths).toBeGreaterThan(30_000);
    expect(seen.none).toBeGreaterThan(1000);
    expect(seen.ties).toBeGreaterThan(10_000);
    expect(seen.waypoints).toBeGreaterThan(500);
  });

  test('takes no notice of how many paths there are inside of cliques behind a bridge', () => {
    const clique = 40;
    const pairs = [0, clique].flatMap((first) =>
      Array.from({ length: clique * clique }, (_, place): [number, number] => [
        first + Math.floor(place / clique),
        first + (place % clique),
      ]).filter(([one, other]) => one < other),
    );
    const bridge: [number, number] = [clique - 1, clique];
    const network = pairedNetwork(2 * clique, [...pairs, bridge]);
    const began = performance.now();
    for (const sorter of sorters) {
      const search = searchOf(network, { head: 0, tail: 2 * clique - 1, sorter });
      expect(take(search, 10).map(({ cost }) => cost)).toEqual([3, 4, 4, 4, 4, 4, 4, 4, 4, 4]);
    }
    expect(performance.now() - began).toBeLessThan(300);
  });

  test('finds the first paths of a grid where more of them are equal than could be counted', () => {
    const network = pairedNetwork(900, gridPairs(30, 30));
    const began = performance.now();
    for (const sorter of sorters) {
      for (const onlyShortest of [false, true]) {
        const search = searchOf(network, { head: 0, tail: 899, sorter, onlyShortest });
        const paths = take(search, 10);
        expect(paths.map(({ cost }) => cost)).toEqual(Array.from({ length: 10 }, () => 58));
        expect(new Set(paths.map(({ links }) => links.join())).size).toBe(10);
      }
    }
    expect(performance.now() - began).toBeLessThan(600);
  });

  test('keeps the stages between waypoints apart', () => {
    const network = pairedNetwork(100, gridPairs(10, 10));
    const via = [55, 22, 77].map((node): Waypoint => ({ kind: 'node', node }));
    const [path] = take(searchOf(network, { head: 0, tail: 99, via }), 1);
    const nodes = [0, ...(path?.links ?? []).map((link) => Number(network.links[link]?.remote.slice(1)))];
    expect(new Set(nodes).size).toBe(nodes.length);
    expect(nodes.filter((node) => [55, 22, 77].includes(node))).toEqual([55, 22, 77]);
    expect(path?.cost).toBe(10 + 6 + 10 + 4);
  });

  test('gives up where waypoints of a plane would have paths cross', () => {
    const side = 12;
    const network = pairedNetwork(side * side, gridPairs(side, side));
    // From the middle of the left edge to that of the right one, then from the top to the bottom.
    const middle = side / 2;
    const via = [middle * side + side - 1, middle].map((node): Waypoint => ({ kind: 'node', node }));
    const search = searchOf(network, { head: middle * side, tail: side * (side - 1) + middle, via });
    expect(() => take(search, 1)).toThrow(SearchTooHardError);
  });

  test('gives up where what is kept for waypoints would not fit', () => {
    const pairs = Array.from({ length: 2999 }, (_, node): [number, number] => [node, node + 1]);
    const network = pairedNetwork(3000, pairs);
    const via = Array.from({ length: 1450 }, (_, place): Waypoint => ({ kind: 'node', node: 2 * place + 2 }));
    expect(() => take(searchOf(network, { head: 0, tail: 2999, via }), 1)).toThrow(SearchTooHardError);
  });

  test('finds a path that is given hop by hop', () => {
    const pairs = Array.from({ length: 999 }, (_, node): [number, number] => [node, node + 1]);
    const network = pairedNetwork(1000, pairs);
    const via = pairs.map((_, place): Waypoint => ({ kind: 'link', link: 2 * place }));
    const paths = take(searchOf(network, { head: 0, tail: 999, via }), 10);
    expect(paths.map(({ cost, hops }) => ({ cost, hops }))).toEqual([{ cost: 999, hops: 999 }]);
  });

  test('finds nothing where no path leads on', () => {
    const network = pairedNetwork(4, [
      [0, 1],
      [2, 3],
    ]);
    for (const sorter of sorters) {
      for (const onlyShortest of [false, true]) {
        expect(take(searchOf(network, { head: 0, tail: 3, sorter, onlyShortest }), 10)).toEqual([]);
      }
    }
  });
});
