import { expect, test } from 'vitest';
import { drawCurve } from './draw-curve.ts';

const curve = {
  name: 'scale',
  title: 'Results a second <agents>',
  x: 'agents',
  y: 'results/s',
  lines: [
    {
      name: 'stored',
      points: [
        { x: 1, y: 100 },
        { x: 2, y: 150 },
        { x: 4, y: 200 },
      ],
    },
    { name: 'limit & more', points: [{ x: 1, y: 400 }] },
  ],
};

test('every point is drawn at its place, the axes starting at zero', () => {
  const svg = drawCurve(curve);
  const line = /<polyline points="([^"]*)"/
    .exec(svg)?.[1]
    ?.split(' ')
    .map((place) => place.split(',').map(Number));
  const [first, second, third] = line ?? [];
  expect(line).toHaveLength(3);
  // Twice as far from the axis for twice the value: of x, and of y.
  const originX = 2 * (first?.[0] ?? 0) - (second?.[0] ?? 0);
  expect((third?.[0] ?? 0) - originX).toBeCloseTo(4 * ((first?.[0] ?? 0) - originX), 0);
  const originY = 2 * (first?.[1] ?? 0) - (third?.[1] ?? 0);
  expect(originY - (second?.[1] ?? 0)).toBeCloseTo(1.5 * (originY - (first?.[1] ?? 0)), 0);
  expect(svg.match(/<circle/g)).toHaveLength(4);
});

test('words are text, whatever is in them', () => {
  const svg = drawCurve(curve);
  expect(svg).toContain('Results a second &lt;agents&gt;');
  expect(svg).toContain('limit &amp; more');
});

test.each([0, 5])('nothing is drawn outside of the picture, also when all values are %d', (y) => {
  const svg = drawCurve({
    ...curve,
    lines: [
      {
        name: 'flat',
        points: [
          { x: 1, y },
          { x: 2, y },
        ],
      },
    ],
  });
  const [, width = 0, height = 0] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg)?.map(Number) ?? [];
  expect(svg.match(/<circle/g)).toHaveLength(2);
  for (const [, cx, cy] of svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"/g)) {
    expect(Number(cx)).toBeLessThan(width);
    expect(Number(cy)).toBeGreaterThan(0);
    expect(Number(cy)).toBeLessThan(height);
  }
});
