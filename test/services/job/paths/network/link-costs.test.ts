import { describe, expect, test } from 'vitest';
import { pathLinkSchema } from '../../../../../contracts/path-request.ts';
import { findCostFault, linkCosts } from '../../../../../services/job/paths/network/link-costs.ts';

const nodes = ['A', 'B', 'C'].map((id) => ({ id, prefix: [] }));

function link(local: string, remote: string, given: object) {
  return pathLinkSchema.parse({ id: `${local}${remote}`, local, remote, ...given });
}

describe('linkCosts', () => {
  test('keeps metrics, and delays by the thousandth', () => {
    const links = [
      link('A', 'B', { igp: 10, te: 3, delay: 0.1 }),
      link('B', 'C', { igp: 2, te: 5, delay: 0.2 }),
    ];
    expect([...linkCosts({ nodes, links }, 'igp')]).toEqual([10, 2]);
    expect([...linkCosts({ nodes, links }, 'te')]).toEqual([3, 5]);
    expect([...linkCosts({ nodes, links }, 'latency')]).toEqual([100, 200]);
  });

  test('makes a metric of 0 smaller than any other, however many there are on a path', () => {
    const links = [link('A', 'B', { igp: 0 }), link('B', 'C', { igp: 0 }), link('A', 'C', { igp: 1 })];
    const [first = 0, second = 0, direct = 0] = linkCosts({ nodes, links }, 'igp');
    expect(Math.min(first, second)).toBeGreaterThan(0);
    expect(first + second).toBeLessThan(direct);
  });
});

describe('findCostFault', () => {
  const most = 2 ** 32 - 1;

  test('finds none in the greatest metrics of a few links', () => {
    expect(findCostFault(3, [link('A', 'B', { igp: most })], 'igp')).toBeUndefined();
  });

  test('names the metric whose sums would not be exact', () => {
    const links = [
      link('A', 'B', { igp: most, te: 1, delay: 1e9 }),
      link('B', 'C', { igp: 0, te: 0, delay: 0 }),
    ];
    const tooMany = 2 ** 21 + 1;
    expect(findCostFault(tooMany, links, 'igp')).toBe(
      'the igp metrics of the links are too large to be summed up exactly',
    );
    expect(findCostFault(tooMany, links, 'te')).toBeUndefined();
    expect(findCostFault(tooMany, links, 'latency')).toBe(
      'the delays of the links are too large to be summed up exactly',
    );
  });

  test('counts of each node its greatest link alone, as a loopless path leaves it once', () => {
    const links = new Array(3000).fill(link('A', 'B', { igp: most }));
    const zero = link('B', 'C', { igp: 0 });
    expect(findCostFault(2 ** 20, [...links, zero], 'igp')).toBeUndefined();
  });
});
