import { describe, expect, test } from 'vitest';
import { pathAlgorithmSchema, srPolicySchema } from '../../../../../contracts/path-request.ts';
import {
  createNetwork,
  findSegmentLists,
} from '../../../../../services/job/paths/segments/find-segment-lists.ts';
import { simplePaths } from '../../../../helpers/naive-segments.ts';
import { createPathNetwork } from '../../../../helpers/path-network.ts';
import { createSeededRandom } from '../../../../helpers/seeded-random.ts';
import { drawTiedNetwork } from '../../../../helpers/tied-network.ts';
import { found, nodesOf } from './run-search.ts';

/** Ids of nodes and links that lie between the ends, of all paths. */
function innerOf(paths: string[][], what: 'nodes' | 'links'): Set<string> {
  const first = what === 'nodes' ? 2 : 1;
  return new Set(
    paths.flatMap((path) =>
      path.slice(0, -1).filter((_, index) => index >= first && index % 2 === first % 2),
    ),
  );
}

test('on 200 small networks a second path is there whenever one of the lists has one, sharing nodes only if it must', () => {
  const random = createSeededRandom(13);
  const seen = { nodes: 0, links: 0, none: 0 };
  for (let count = 0; count < 200; count += 1) {
    const { nodes, links } = drawTiedNetwork(random);
    const policy = srPolicySchema.parse({ id: 'R', headend: 'N0', tailend: 'N1', disjoint: true });
    const algorithm = pathAlgorithmSchema.parse({ algo: 1, top: 5 });
    const bandwidths = Float64Array.from(links, ({ bandwidth }) => bandwidth);
    const outcome = findSegmentLists(createNetwork(nodes, links), {
      policy,
      algorithm,
      bandwidths,
      requiredBandwidth: 0,
    });
    if (!outcome.ok) continue;
    const { paths, other, d_paths = [], d_other = [] } = outcome.data;
    const lists = [paths, ...other.map((list) => list.paths)];
    const all = simplePaths(links, 'N0', 'N1').map((path) =>
      path.flatMap((link) => [links[link]?.local ?? '', links[link]?.id ?? '']).concat('N1'),
    );
    const isApart = (path: string[], from: string[][], what: 'nodes' | 'links') => {
      const links = innerOf(from, 'links');
      const nodes = what === 'nodes' ? innerOf(from, 'nodes') : new Set<string>();
      return path.every((id) => !links.has(id) && !nodes.has(id));
    };
    const isPossible = (what: 'nodes' | 'links') =>
      lists.some((list) => all.some((path) => isApart(path, list, what)));
    const kind = isPossible('nodes') ? 'nodes' : isPossible('links') ? 'links' : 'none';
    seen[kind] += 1;
    const second = [d_paths, ...d_other.map((list) => list.paths)].flat();
    if (kind === 'none') expect(second).toEqual([]);
    else {
      expect(d_paths.length).toBeGreaterThan(0);
      for (const path of second) expect(isApart(path, paths, kind), `${path}`).toBe(true);
    }
  }
  expect(Math.min(...Object.values(seen))).toBeGreaterThan(5);
});

describe('with a second path', () => {
  const disjoint = { disjoint: true };

  test('it shares no node with any path of the first list', () => {
    const network = createPathNetwork(['A-B', 'B-Z', 'A-C', 'C-Z', 'A-D', ['D-Z', { igp: 20 }], 'B-D']);
    const { d_sids, d_paths, d_segs, d_attr, d_other, ...first } = found(network, { policy: disjoint });
    expect(nodesOf(first)).toEqual(['ABZ', 'ACZ']);
    expect(d_sids?.map(({ id }) => id)).toEqual(['D', 'D>Z']);
    expect(d_paths).toEqual([['A', 'A>D', 'D', 'D>Z', 'Z']]);
    expect(d_segs).toEqual([[['A', 'A>D', 'D']], [['D', 'D>Z', 'Z']]]);
    expect(d_attr).toEqual({ igp: 30, te: 20, delay: 200, min_hop: 2, max_min_band: 30 });
    expect(d_other).toEqual([]);
  });

  test('of several lists the first one is taken that leaves room for it', () => {
    // The shortest path takes a node of each of the only two paths that share none.
    const trap = createPathNetwork([
      'A>B',
      'B>C',
      'C>Z',
      ['A>D', { igp: 20 }],
      ['D>C', { igp: 15 }],
      ['B>E', { igp: 15 }],
      ['E>Z', { igp: 20 }],
    ]);
    const { d_paths, ...first } = found(trap, { policy: disjoint });
    expect(first.other.flatMap(nodesOf)).toContain('ABCZ');
    expect([nodesOf(first), nodesOf({ paths: d_paths ?? [] })]).toEqual([['ABEZ'], ['ADCZ']]);
  });

  test('it shares no link at least, where there is no other', () => {
    const network = createPathNetwork(['A-B', 'B-Z', ['A-B', { igp: 20 }], ['B-Z', { igp: 20 }]]);
    const { d_paths, ...first } = found(network, { policy: disjoint, algorithm: { algo: 0 } });
    expect(first.paths).toEqual([['A', 'A>B', 'B', 'B>Z', 'Z']]);
    expect(d_paths).toEqual([['A', 'A>B#2', 'B', 'B>Z#2', 'Z']]);
  });

  test('it need not pass the waypoints', () => {
    const { d_paths, ...first } = found(createPathNetwork(['A-B', 'B-Z', 'A-C', 'C-Z']), {
      policy: { ...disjoint, include: ['B'] },
    });
    expect([nodesOf(first), nodesOf({ paths: d_paths ?? [] })]).toEqual([['ABZ'], ['ACZ']]);
  });

  test('it is empty where there is none', () => {
    const line = createPathNetwork(['A-B', 'B-Z']);
    expect(found(line, { policy: disjoint })).toMatchObject({
      d_sids: [],
      d_paths: [],
      d_segs: [],
      d_attr: {},
      d_other: [],
    });
  });
});
