import { expect, test } from 'vitest';
import { createRandomNetwork } from '../../helpers/random-network.ts';
import { createLibraryPaths } from './library-paths.ts';

test('the least cost is that of the shortest path, by metric and not by hops', () => {
  const { nodes, links } = createRandomNetwork(1, { nodeCount: 3, pairCount: 3 });
  const igp = new Map([
    ['N0 N1', 1],
    ['N1 N2', 2],
    ['N0 N2', 4],
  ]);
  const weighed = links.map((link) => ({ ...link, igp: igp.get(`${link.local} ${link.remote}`) ?? 9 }));
  expect(createLibraryPaths({ nodes, links: weighed }).findLeastCost('N0', 'N2')).toBe(3);
});

test('there is none without a way', () => {
  const { nodes } = createRandomNetwork(1, { nodeCount: 2, pairCount: 1 });
  expect(createLibraryPaths({ nodes, links: [] }).findLeastCost('N0', 'N1')).toBe(Number.POSITIVE_INFINITY);
});

test('a random network is the same again for its seed, and every node reaches every other one', () => {
  const size = { nodeCount: 30, pairCount: 40 };
  const network = createRandomNetwork(2, size);
  expect(createRandomNetwork(2, size)).toEqual(network);
  expect(createRandomNetwork(3, size)).not.toEqual(network);
  expect(network.links).toHaveLength(80);
  const library = createLibraryPaths(network);
  const costs = network.nodes.flatMap(({ id }) =>
    network.nodes.map((to) => library.findLeastCost(id, to.id)),
  );
  expect(costs.filter((cost) => !Number.isFinite(cost))).toEqual([]);
});
