import { expect, test } from 'vitest';
import { figureOf, takeTurns } from './compare.ts';

test('contenders run once a round, every other round backwards', async () => {
  const log: string[] = [];
  const note = (name: string) => async (round: number) => void log.push(`${name}${round}`);
  await takeTurns(3, [note('a'), note('b')]);
  expect(log).toEqual(['a0', 'b0', 'b1', 'a1', 'a2', 'b2']);
});

test('a fault of a contender ends the turns', async () => {
  let count = 0;
  const fail = async () => {
    count += 1;
    throw new Error('wrong answer');
  };
  await expect(takeTurns(3, [fail])).rejects.toThrow('wrong answer');
  expect(count).toBe(1);
});

test('a figure has the medians, and the median of the ratios of each round', () => {
  const figure = figureOf({
    metric: 'names/s',
    unit: 'names/s',
    ours: [10, 30, 20],
    beside: { peer: 'other', samples: [10, 10, 40] },
    target: { of: 'ratio', atLeast: 1.25 },
  });
  expect(figure).toEqual({
    metric: 'names/s',
    ours: 20,
    peer: 'other',
    beside: 10,
    unit: 'names/s',
    ratio: 1,
    target: '≥ 1.25 ×',
    holds: false,
    rounds: 3,
    oursSpread: [10, 30],
    besideSpread: [10, 40],
  });
});

test.each([
  [{ of: 'ratio', atMost: 2 } as const, true, '≤ 2 ×'],
  [{ of: 'ratio', atMost: 1.9 } as const, false, '≤ 1.9 ×'],
  [{ of: 'ours', atMost: 20 } as const, true, '≤ 20 ms'],
  [{ of: 'ours', atLeast: 21 } as const, false, '≥ 21 ms'],
  [{ of: 'difference', atMost: 10 } as const, true, '≤ 10 ms more'],
  [{ of: 'difference', atMost: 9.9 } as const, false, '≤ 9.9 ms more'],
])('%o of 20 ms beside 10 ms holds: %s', (target, holds, words) => {
  const beside = { peer: 'other', samples: [10] };
  const figure = figureOf({ metric: 'p50', unit: 'ms', ours: [20], beside, target });
  expect(figure).toMatchObject({ holds, target: words });
});

test('a figure that stands alone has no ratio, and holds its own bound', () => {
  const figure = figureOf({ metric: 'lag', unit: 'ms', ours: [1, 3], target: { of: 'ours', atMost: 2 } });
  expect(figure).toMatchObject({
    ours: 2,
    peer: null,
    beside: null,
    ratio: null,
    holds: true,
    besideSpread: null,
  });
});

test('a comparison that has nothing beside it does not hold', () => {
  const figure = figureOf({ metric: 'p50', unit: 'ms', ours: [1], target: { of: 'ratio', atMost: 2 } });
  expect(figure).toMatchObject({ target: '≤ 2 ×', holds: false });
});

test('samples that are no numbers reach nothing', () => {
  const figure = figureOf({ metric: 'p50', unit: 'ms', ours: [], target: { of: 'ours', atMost: 2 } });
  expect(figure.holds).toBe(false);
});
