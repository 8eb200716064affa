import { describe, expect, test } from 'vitest';
import { type Adjacency, createTopology } from '../../../../../services/job/paths/network/topology.ts';
import { randomNetwork } from '../../../../helpers/drawn-network.ts';
import { createSeededRandom } from '../../../../helpers/seeded-random.ts';

function linksOf({ offsets, links }: Adjacency, node: number): number[] {
  return [...links.subarray(offsets[node], offsets[node + 1])];
}

describe('createTopology', () => {
  test('has the links of each node, in their order, by both of their ends', () => {
    const { nodes, links } = randomNetwork(createSeededRandom(1), { nodes: 7, links: 30, metrics: [1] });
    const topology = createTopology(nodes, links);
    for (const [node, { id }] of nodes.entries()) {
      const leaving = [...links.keys()].filter((link) => links[link]?.local === id);
      const arriving = [...links.keys()].filter((link) => links[link]?.remote === id);
      expect(linksOf(topology.outgoing, node)).toEqual(leaving);
      expect(linksOf(topology.incoming, node)).toEqual(arriving);
      expect(topology.nodeIndex.get(id)).toBe(node);
    }
    expect(links.map(({ id }) => topology.linkIndex.get(id))).toEqual([...links.keys()]);
    expect(links.map(({ local }) => topology.nodeIndex.get(local))).toEqual([...topology.from]);
    expect(links.map(({ remote }) => topology.nodeIndex.get(remote))).toEqual([...topology.to]);
  });

  test('refuses a link that ends nowhere', () => {
    const { nodes, links } = randomNetwork(createSeededRandom(1), { nodes: 2, links: 4, metrics: [1] });
    expect(() => createTopology(nodes.slice(0, 1), links)).toThrow('a link ends at N1, which is no node');
  });
});
