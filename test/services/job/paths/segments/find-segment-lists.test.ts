import { describe, expect, test } from 'vitest';
import { createPathNetwork } from '../../../../helpers/path-network.ts';
import { found, nodesOf, search, sidsOf, whyNot } from './run-search.ts';

describe('findSegmentLists', () => {
  const square = createPathNetwork(['A-B', 'B-Z', 'A-C', 'C-Z']);

  test('equal-cost paths are led over together, and apart where one of them must not be used', () => {
    expect(sidsOf(found(square))).toBe('Z');
    expect(nodesOf(found(square))).toEqual(['ABZ', 'ACZ']);
    for (const exclude of [['C'], ['A>C'], ['C>Z']]) {
      const { other, ...best } = found(square, { policy: { exclude } });
      expect(sidsOf(best)).toBe('B Z');
      expect(nodesOf(best)).toEqual(['ABZ']);
      expect(other).toEqual([]);
    }
  });

  test('paths of the same metric but other attributes are led over together and tell the worst of each', () => {
    const network = createPathNetwork([
      'A-B',
      'B-Z',
      ['A-C', { te: 3, delay: 0.1, bandwidth: -1 }],
      ['C-Z', { te: 30, delay: 0.2 }],
    ]);
    expect(found(network).attr).toEqual({ igp: 20, te: 33, delay: 200, min_hop: 2, max_min_band: -1 });
    const { other, ...best } = found(network, { policy: { metric: 'latency' } });
    expect(sidsOf(best)).toBe('C Z');
    expect(best.attr).toEqual({ igp: 20, te: 33, delay: 0.3, min_hop: 2, max_min_band: -1 });
    expect(other.map(nodesOf)).toEqual([['ABZ']]);
  });

  test('a link is named where its node would lead over others as well', () => {
    const network = createPathNetwork(['A-B', ['A-B', { te: 20 }], 'B-Z']);
    expect(found(network, { policy: { metric: 'igp' } }).paths).toHaveLength(2);
    const { other, ...best } = found(network, { policy: { metric: 'te' } });
    expect(sidsOf(best)).toBe('A>B Z');
    expect(best.sids[0]).toEqual({ id: 'A>B', sid: 30_000 });
    expect(other.map(sidsOf)).toEqual(['A>B#2 Z']);
  });

  test('of a bandwidth that is asked for every link has all, or what it has is not known', () => {
    const network = createPathNetwork([['A-B', { bandwidth: 9 }], 'B-Z', ['A-C', { bandwidth: -1 }], 'C-Z']);
    expect(nodesOf(found(network, { requiredBandwidth: 10 }))).toEqual(['ACZ']);
    expect(nodesOf(found(network, { requiredBandwidth: 9 }))).toEqual(['ABZ', 'ACZ']);
  });

  test('links have the bits of the affinity under the mask, when both are given', () => {
    const network = createPathNetwork([
      ['A-B', { affinity: 0x8000_0001 }],
      ['B-Z', { affinity: 0x8000_0003 }],
      'A-C',
      'C-Z',
    ]);
    const over = (policy: object) => nodesOf(found(network, { policy }));
    expect(over({ affinity: '80000001', mask: '0x80000001' })).toEqual(['ABZ']);
    expect(over({ affinity: 0, mask: 1 })).toEqual(['ACZ']);
    expect(over({ affinity: 1 })).toEqual(['ABZ', 'ACZ']);
    expect(whyNot(network, { policy: { affinity: 4, mask: 4 } })).toBe(
      'no path from A to Z keeps to all that is asked; there would be one without the affinity',
    );
  });

  test('nodes and links without a SID are led around, also where the network would lead over them', () => {
    for (const network of [
      createPathNetwork(['A-B', 'B-Z', 'A-C', 'C-Z'], { C: { sid: null } }),
      createPathNetwork(['A-B', 'B-Z', ['A>C', { sid: null }], 'C-Z']),
    ]) {
      expect(sidsOf(found(network))).toBe('B Z');
      expect(nodesOf(found(network))).toEqual(['ABZ']);
    }
  });

  test('the SIDs of an algorithm are taken where a node has one', () => {
    const prefix = [
      { prefix: '10.0.0.9', prefix_algorithm: 128, prefix_sid: 128_009 },
      { prefix: '10.0.0.8', prefix_algorithm: 129, prefix_sid: 129_009 },
    ];
    const network = createPathNetwork(['A-B', 'B-Z'], { Z: { prefix }, B: { sid: null, prefix } });
    const { sids } = found(network, { policy: { algorithm: 129, include: ['B'] } });
    expect(sids).toEqual([{ id: 'Z', ip: '10.0.0.8', sid: 129_009 }]);
    expect(whyNot(network, { policy: { algorithm: 130 } })).toBe(
      'every way from A to Z leads over nodes or links without a SID',
    );
  });

  test('waypoints are passed by all paths of a list, in their order', () => {
    expect(sidsOf(found(square, { policy: { include: ['C'] } }))).toBe('C Z');
    expect(sidsOf(found(square, { policy: { include: ['C>Z'] } }))).toBe('C Z');
    const line = createPathNetwork(['A-B', 'B-Z']);
    expect(sidsOf(found(line, { policy: { include: ['A>B', 'B', 'B>Z'] } }))).toBe('Z');
    expect(whyNot(line, { policy: { include: ['B', 'A>B'] } })).toBe(
      'no path from A to Z keeps to all that is asked; there would be one without what is to be included',
    );
  });

  test('links without a metric are told apart by their number', () => {
    const network = createPathNetwork([
      ['A-B', { igp: 0 }],
      ['B-C', { igp: 0 }],
      ['C-Z', { igp: 0 }],
      ['A-C', { igp: 0 }],
    ]);
    const { other, ...best } = found(network);
    expect([sidsOf(best), nodesOf(best)]).toEqual(['Z', ['ACZ']]);
    expect(other.map((list) => [sidsOf(list), nodesOf(list)])).toEqual([['B Z', ['ABCZ']]]);
  });

  test('segments that could meet at a node are shortened until they cannot', () => {
    const network = createPathNetwork(['A-S', 'S-B', 'A-X', 'X-B', 'S-Z', 'B-Y', 'Y-Z']);
    const { sids, paths } = found(network, { policy: { include: ['X', 'Y'] } });
    expect(sids.map(({ id }) => id)).toEqual(['X', 'Y', 'Z']);
    expect(nodesOf({ paths })).toEqual(['AXBYZ']);
  });

  describe('in a grid', () => {
    const side = 8;
    const cells = Array.from({ length: side * side }, (_, cell) => cell);
    const grid = createPathNetwork(
      cells.flatMap((cell) => [
        ...(cell % side < side - 1 ? [`${cell}-${cell + 1}`] : []),
        ...(cell + side < side * side ? [`${cell}-${cell + side}`] : []),
      ]),
    );
    const policy = { headend: '0', tailend: '63' };

    test('a list leads over 1,000 paths at most', () => {
      const { sids, paths, other } = found(grid, { policy, algorithm: { algo: 0 } });
      // 3,432 paths lead from corner to corner.
      expect(sids).toHaveLength(2);
      expect(paths.length).toBeGreaterThan(100);
      for (const list of [{ paths }, ...other]) {
        expect(list.paths.length).toBeLessThanOrEqual(1000);
        expect(new Set(list.paths.map((path) => path.join())).size).toBe(list.paths.length);
      }
    });
  });

  test('a list of very long paths leads over few of them', () => {
    const hops = Array.from({ length: 2000 }, (_, index) => `${index}>${index + 1}`);
    const line = createPathNetwork([...hops, ...hops]);
    const policy = { headend: '0', tailend: '2000' };
    const { paths } = found(line, { policy, algorithm: { algo: 0, top: 1 } });
    expect(paths.length).toBeGreaterThan(1);
    expect(paths.length * hops.length).toBeLessThanOrEqual(200_000);
  });

  test('a search that its waypoints make too hard is given up', () => {
    const line = createPathNetwork(Array.from({ length: 5000 }, (_, index) => `${index}>${index + 1}`));
    const include = Array.from({ length: 999 }, (_, index) => `${5 * index + 5}`);
    expect(search(line, { policy: { headend: '0', tailend: '5000', include } })).toMatchObject({
      ok: false,
      fault: { code: 'TOO_HARD' },
    });
  });

  test('at most so many paths are looked at as `top` says', () => {
    const network = createPathNetwork(['A-Z', 'A-B', 'B-Z', 'A-C', 'C-D', 'D-Z']);
    const lists = (top: number) => found(network, { algorithm: { top } }).other.length + 1;
    expect([1, 2, 3, 10].map(lists)).toEqual([1, 2, 3, 3]);
    expect(found(network, { algorithm: { algo: 0 } }).other).toEqual([]);
  });

  test.each([
    [{ sorter: 'metric' }, 20, 'ABZ'],
    [{ sorter: 'min_hop' }, 2, 'ABZ'],
    [{ sorter: 'max_min_band' }, 50, 'ACDZ'],
  ])('nothing beyond the limit is found, by %j', (algorithm, limit, path) => {
    const network = createPathNetwork([
      'A-B',
      'B-Z',
      ['A-C', { bandwidth: 50 }],
      ['C-D', { bandwidth: 50 }],
      ['D-Z', { bandwidth: 50 }],
    ]);
    expect(nodesOf(found(network, { algorithm: { ...algorithm, limit } }))).toEqual([path]);
    const beyond = algorithm.sorter === 'max_min_band' ? limit + 1 : limit - 1;
    expect(whyNot(network, { algorithm: { ...algorithm, limit: beyond } })).toBe(
      `every path from A to Z is beyond the limit of ${beyond}: the best one has ${limit}`,
    );
  });

  describe('tells what stands in the way', () => {
    const line = createPathNetwork(['A-B', 'B-Z', 'C>A']);

    test('nothing leads there', () => {
      expect(whyNot(line, { policy: { tailend: 'C' } })).toBe('no links lead from A to C');
    });

    test('a class that no link has', () => {
      expect(whyNot(line, { requiredBandwidth: 31, policy: { class: 'gold' } })).toBe(
        'no link has the class gold',
      );
    });

    test('each constraint without which there would be a path', () => {
      const given = { requiredBandwidth: 31, policy: { exclude: ['A>B'] } };
      expect(whyNot(line, { requiredBandwidth: 31 })).toBe(
        'no path from A to Z keeps to all that is asked; there would be one without the bandwidth of 31',
      );
      expect(whyNot(line, { isBlocked: ({ id }) => id === 'B>Z' })).toBe(
        'no path from A to Z keeps to all that is asked; there would be one without regard to the traffic on links',
      );
      expect(whyNot(line, given)).toBe(
        'no path from A to Z keeps to all that is asked, nor would one without any one of these: the bandwidth of 31, what is to be excluded',
      );
      expect(whyNot(square, { policy: { exclude: ['B'], include: ['A>B'] } })).toBe(
        'no path from A to Z keeps to all that is asked; there would be one without what is to be excluded, or without what is to be included',
      );
    });
  });
});
