import { describe, expect, test } from 'vitest';
import type { Reach } from '../../../../../services/job/paths/segments/segment-reach.ts';
import { findShortestSplit } from '../../../../../services/job/paths/segments/split-path.ts';

/** From each place segments lead over so many paths, `pathCounts[i]` to the place i + 1 further on; the strangers are on all but single paths. */
function reach(pathCounts: number[], strangers: number[] = []): Reach {
  return {
    pathCounts,
    strangers,
    strangerCounts: pathCounts.map((count) => (count === 1 ? 0 : strangers.length)),
  };
}

function describeSplit(length: number, reachOf: (place: number) => Reach, maxPaths = 1000): string {
  return findShortestSplit({ length, reachOf, maxPaths })
    .map(({ end, isLink }) => `${isLink ? 'link' : 'node'} ${end}`)
    .join(', ');
}

describe('findShortestSplit', () => {
  test('takes the link where no segment leads on', () => {
    expect(describeSplit(3, (place) => reach(place === 1 ? [] : place === 2 ? [1] : [1]))).toBe(
      'node 1, link 2, node 3',
    );
  });

  test('of splits with as many segments takes the one with the most paths', () => {
    const reaches = [reach([1, 1]), reach([2, 2]), reach([1])];
    expect(describeSplit(3, (place) => reaches[place] ?? reach([]))).toBe('node 1, node 3');
  });

  test('keeps to the number of paths, with no more segments than that takes', () => {
    const reaches = [reach([1, 10, 40]), reach([3, 30, 40]), reach([20, 40]), reach([1])];
    const reachOf = (place: number) => reaches[place] ?? reach([]);
    expect(describeSplit(4, reachOf, 1600)).toBe('node 2, node 4');
    expect(describeSplit(4, reachOf, 39)).toBe('node 1, node 3, node 4');
    expect(describeSplit(4, reachOf, 2)).toBe('node 1, link 2, link 3, node 4');
  });

  test('segments that share a node beside the path are not taken together', () => {
    const reaches = [reach([1, 2], [7]), reach([1]), reach([1, 2], [7]), reach([1])];
    const split = findShortestSplit({
      length: 4,
      reachOf: (place) => reaches[place] ?? reach([]),
      maxPaths: 9,
    });
    expect(split.map(({ end }) => end)).toEqual([2, 3, 4]);
  });

  test('a path too long for the search is split as far as segments lead all the same', () => {
    const split = findShortestSplit({ length: 5000, reachOf: () => reach([2, 2]), maxPaths: 1000 });
    expect(split.at(-1)?.end).toBe(5000);
    expect(split.filter(({ isLink }) => !isLink)).toHaveLength(9);
  });
});
