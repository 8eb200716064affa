import { DirectedGraph } from 'graphology';
import { dijkstra } from 'graphology-shortest-path';
import { describe, expect, test } from 'vitest';
import { distances } from '../../../../../services/job/paths/network/distances.ts';
import { linkCosts } from '../../../../../services/job/paths/network/link-costs.ts';
import { createTopology } from '../../../../../services/job/paths/network/topology.ts';
import { randomNetwork } from '../../../../helpers/drawn-network.ts';
import { createSeededRandom } from '../../../../helpers/seeded-random.ts';

const metrics = Array.from({ length: 50 }, (_, index) => 10 * index + 1);

/** Of two parallel links the library is given the cheaper one. */
function createGraph({ nodes, links }: ReturnType<typeof randomNetwork>): DirectedGraph {
  const graph = new DirectedGraph();
  for (const { id } of nodes) graph.addNode(id);
  for (const { local, remote, igp } of links) {
    graph.updateEdge(local, remote, ({ weight = Number.POSITIVE_INFINITY }) => ({
      weight: Math.min(weight, igp),
    }));
  }
  return graph;
}

describe('distances', () => {
  test.each([
    { nodes: 1000, links: 4000, origins: 20, perOrigin: 10 },
    { nodes: 5000, links: 20_000, origins: 6, perOrigin: 10 },
  ])('agrees with a library on $nodes nodes', ({ nodes, links, origins, perOrigin }) => {
    const random = createSeededRandom(nodes);
    const network = randomNetwork(random, { nodes, links, metrics }, { hasRing: true });
    const topology = createTopology(network.nodes, network.links);
    const costs = linkCosts(topology, 'igp');
    const graph = createGraph(network);
    const lengthOf = (way: readonly string[]) =>
      way.slice(1).reduce((sum, node, place) => {
        const weight: number = graph.getEdgeAttribute(way[place], node, 'weight');
        return sum + weight;
      }, 0);
    for (let round = 0; round < origins; round += 1) {
      const origin = random.below(nodes);
      const from = distances(topology, costs, { origin, direction: 'from' });
      const to = distances(topology, costs, { origin, direction: 'to' });
      for (let pair = 0; pair < perOrigin; pair += 1) {
        const other = (origin + 1 + random.below(nodes - 1)) % nodes;
        expect(from[other]).toBe(
          lengthOf(dijkstra.bidirectional(graph, `N${origin}`, `N${other}`, 'weight')),
        );
        expect(to[other]).toBe(lengthOf(dijkstra.bidirectional(graph, `N${other}`, `N${origin}`, 'weight')));
      }
    }
  });

  test('is the same from one end as to the other', () => {
    const random = createSeededRandom(3);
    const network = randomNetwork(random, { nodes: 60, links: 200, metrics: [0, 1, 2] });
    const topology = createTopology(network.nodes, network.links);
    const costs = linkCosts(topology, 'te');
    const isUsable = Uint8Array.from(network.links, () => Number(random.below(4) > 0));
    const from = network.nodes.map((_, origin) =>
      distances(topology, costs, { origin, direction: 'from', isUsable }),
    );
    const to = network.nodes.map((_, origin) =>
      distances(topology, costs, { origin, direction: 'to', isUsable }),
    );
    const turned = to.map((_, node) => to.map((row) => row[node]));
    expect(from.map((row) => [...row])).toEqual(turned);
  });

  test('looks no further than it is told', () => {
    const network = randomNetwork(createSeededRandom(4), { nodes: 50, links: 200, metrics: [1, 2, 3] });
    const topology = createTopology(network.nodes, network.links);
    const costs = linkCosts(topology, 'igp');
    const all = distances(topology, costs, { origin: 0, direction: 'from' });
    const near = distances(topology, costs, { origin: 0, direction: 'from', limitAt: 4 });
    expect([...near]).toEqual([...all].map((distance) => (distance <= 4 ? distance : Infinity)));
    expect(near).not.toEqual(all);
  });
});
