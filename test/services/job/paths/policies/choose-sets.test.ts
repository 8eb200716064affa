import { expect, test } from 'vitest';
import { chooseSets } from '../../../../../services/job/paths/policies/choose-sets.ts';
import type { Candidate } from '../../../../../services/job/paths/policies/knapsack.ts';
import { createSeededRandom } from '../../../../helpers/seeded-random.ts';

function sumOf(set: readonly number[], amountOf: (index: number) => number): number {
  return set.reduce((sum, index) => sum + amountOf(index), 0);
}

/** Straight from what is asked for: all subsets that cover, sorted. Efforts and traffic must be whole numbers. */
function everySet(candidates: readonly Candidate[], excess: number): number[][] {
  const sets = Array.from({ length: 2 ** candidates.length }, (_, bits) =>
    [...candidates.keys()].filter((index) => (bits >> index) % 2 === 1),
  );
  const effortOf = (set: number[]) => sumOf(set, (index) => candidates[index]?.effort ?? 0);
  return sets
    .filter((set) => sumOf(set, (index) => candidates[index]?.traffic ?? 0) >= excess)
    .sort((one, other) => {
      const byEffort = effortOf(one) - effortOf(other) || one.length - other.length;
      const differing = one.findIndex((index, place) => index !== other[place]);
      return byEffort || (one[differing] ?? 0) - (other[differing] ?? 0);
    });
}

test('yields every set that covers the excess, in order', () => {
  const random = createSeededRandom(7);
  let sets = 0;
  for (let run = 0; run < 300; run += 1) {
    const candidates = Array.from({ length: random.below(8) }, () => ({
      // Often alike, and often without effort.
      effort: random.pick([0, 1, 2, 3, random.below(50)]),
      traffic: random.pick([1, 2, 5, 1 + random.below(30)]),
    }));
    const excess = 1 + random.below(40);
    const expected = everySet(candidates, excess);
    expect([...chooseSets(candidates, excess)]).toEqual(expected);
    sets += expected.length;
  }
  expect(sets).toBeGreaterThan(3000);
});

test('yields sets of fractions in the order of their efforts', () => {
  const random = createSeededRandom(8);
  for (let run = 0; run < 50; run += 1) {
    const candidates = Array.from({ length: 8 }, () => ({
      effort: random.below(1000) / 700,
      traffic: (1 + random.below(100)) / 30,
    }));
    const sets = [...chooseSets(candidates, 5)];
    const efforts = sets.map((set) => sumOf(set, (index) => candidates[index]?.effort ?? 0));
    expect(efforts.every((effort, at) => at === 0 || effort > (efforts[at - 1] ?? 0) - 1e-6)).toBe(true);
    expect(sets).toHaveLength(everySet(candidates, 5).length);
  }
});

test('covers an excess that the sum comes to but for its binary noise', () => {
  const tenths = Array.from({ length: 10 }, () => ({ effort: 1, traffic: 0.1 }));
  expect([...chooseSets(tenths, 1)]).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
});

test('yields nothing where all of them are too little', () => {
  expect([...chooseSets([{ effort: 1, traffic: 3 }], 4)]).toEqual([]);
  expect([...chooseSets([], 4)]).toEqual([]);
});

test('finds a first set among thousands, alike or not', () => {
  const random = createSeededRandom(9);
  const alike = Array.from({ length: 2000 }, () => ({ effort: 0.5, traffic: 2 }));
  const [first, second] = chooseSets(alike, 1999);
  expect(first).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  expect(second).toEqual([...Array.from({ length: 999 }, (_, index) => index), 1000]);
  const different = Array.from({ length: 2000 }, () => ({
    effort: 0.1 + random.below(1e6) / 1e6,
    traffic: 1 + random.below(1e6) / 1e5,
  }));
  const [set = []] = chooseSets(different, 3000);
  expect(sumOf(set, (index) => different[index]?.traffic ?? 0)).toBeGreaterThanOrEqual(3000);
});
