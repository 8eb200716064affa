import { expect, test } from 'vitest';
import { createRouter } from '../../../../../services/job/paths/network/router.ts';
import { createTopology } from '../../../../../services/job/paths/network/topology.ts';
import { createPathNetwork } from '../../../../helpers/path-network.ts';

function createTestRouter(...given: Parameters<typeof createPathNetwork>) {
  const { nodes, links } = createPathNetwork(...given);
  const router = createRouter(createTopology(nodes, links));
  const indexOf = (id: string) => router.topology.nodeIndex.get(id) ?? -1;
  return {
    ...router,
    linksBetween: (from: string, to: string) =>
      router.segmentLinks(indexOf(from), indexOf(to)).map((link) => links[link]?.id),
  };
}

test('packets go over all shortest paths of the whole network, with SIDs or without', () => {
  const { linksBetween } = createTestRouter(
    ['A>B', 'B>D', 'A>C', ['C>D', { sid: null }], 'C>D', ['A>D', { igp: 21 }]],
    {
      C: { sid: null },
    },
  );
  expect(linksBetween('A', 'D')).toEqual(['A>B', 'B>D', 'A>C', 'C>D', 'C>D#2']);
  expect(linksBetween('A', 'A')).toEqual([]);
  expect(linksBetween('D', 'A')).toEqual([]);
});

test('a link is no shortest path where others are shorter, and is one beside others that are as short', () => {
  const { isShortest, topology } = createTestRouter([
    'A>B',
    'B>C',
    ['A>C', { igp: 20 }],
    ['A>C', { igp: 21 }],
  ]);
  const isIt = () => topology.links.filter((_, link) => isShortest(link)).map(({ id }) => id);
  expect(isIt()).toEqual(['A>B', 'B>C', 'A>C']);
  expect(isIt()).toEqual(['A>B', 'B>C', 'A>C']);
});

test('distances are worked out once for each source, as long as they find room', () => {
  const { nodes, links } = createPathNetwork(['A>B', 'B>C', 'C>D']);
  const { distancesFrom } = createRouter(createTopology(nodes, links), 3 * 8 * nodes.length);
  const first = distancesFrom(0);
  expect([...first]).toEqual([0, 10, 20, 30]);
  for (const source of [1, 2, 0, 3]) distancesFrom(source);
  expect(distancesFrom(0)).toBe(first);
  for (const source of [1, 2, 3]) distancesFrom(source);
  expect(distancesFrom(0)).not.toBe(first);
  expect(distancesFrom(0)).toEqual(first);
});

test('distances are looked for as far as is told, unless they are known', () => {
  const { nodes, links } = createPathNetwork(['A>B', 'B>C', 'C>D']);
  const { distancesFrom } = createRouter(createTopology(nodes, links));
  const nowhere = Number.POSITIVE_INFINITY;
  expect([...distancesFrom(0, 10)]).toEqual([0, 10, nowhere, nowhere]);
  expect([...distancesFrom(0)]).toEqual([0, 10, 20, 30]);
  expect([...distancesFrom(0, 10)]).toEqual([0, 10, 20, 30]);
});
