// Networks of a few nodes in which many paths are equally good: what brute force and the computations are compared on.
import {
  type PathLink,
  type PathNode,
  pathLinkSchema,
  pathNodeSchema,
} from '../../contracts/path-request.ts';
import type { SeededRandom } from './seeded-random.ts';

/** From N0 to N1 by way of N4: N2 can be met before it and after it. */
const twoDiamonds = ['0 2', '2 4', '0 3', '3 4', '2 1', '4 5', '5 1'];

/** Small, with ties, parallel links, metrics of 0; half of them have equal links in both directions and a trap. */
export function drawTiedNetwork(random: SeededRandom): { nodes: PathNode[]; links: PathLink[] } {
  const isTwoWay = random.below(2) === 0;
  const nodeCount = (isTwoWay ? 6 : 4) + random.below(3);
  const nodes = Array.from({ length: nodeCount }, (_, index) =>
    pathNodeSchema.parse({ id: `N${index}`, sid: index }),
  );
  const metrics = random.pick(
    isTwoWay
      ? [[1], [1, 1, 1, 1, 2]]
      : [
          [1, 2],
          [0, 1, 1],
          [1, 1, 2, 3],
        ],
  );
  const drawnEnds = Array.from({ length: random.below(isTwoWay ? 4 : 2 * nodeCount) + nodeCount - 3 }, () => [
    random.below(nodeCount),
    random.below(nodeCount),
  ]);
  const ends = [
    ...(isTwoWay ? twoDiamonds.map((pair) => pair.split(' ').map(Number)) : []),
    ...drawnEnds,
  ].map(([local = 0, remote = 0]) => ({ local, remote }));
  const back = isTwoWay ? ends.map(({ local, remote }) => ({ local: remote, remote: local })) : [];
  const links = [...ends, ...back].map(({ local, remote }, index) =>
    pathLinkSchema.parse({
      id: `L${index}`,
      local: `N${local}`,
      remote: `N${remote}`,
      sid: 100 + index,
      igp: random.pick(metrics),
      te: random.pick(metrics),
      delay: random.pick(metrics) / 10,
      bandwidth: random.pick([-1, 10, 20, 30]),
    }),
  );
  return { nodes, links };
}
