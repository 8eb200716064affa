import { expect, test } from 'vitest';
import type { Figure } from './bench.ts';
import { formatFigure, formatNumber, renderFigures, tabulateFigures } from './render-figures.ts';

const figure: Figure = {
  bench: 'dns',
  metric: 'names/s',
  ours: 81234.5,
  peer: 'dns.Resolver',
  beside: 60000,
  unit: 'names/s',
  ratio: 1.3539,
  target: '≥ 1.25 ×',
  holds: true,
  rounds: 5,
  oursSpread: [80000, 82000],
  besideSpread: [59000, 61000],
};
const alone: Figure = {
  ...figure,
  metric: 'lost',
  ours: 0,
  peer: null,
  beside: null,
  ratio: null,
  target: '≤ 0 queries',
  holds: false,
  oursSpread: [0, 0],
  besideSpread: null,
};

test('the table has a line for every figure, and says which do not hold', () => {
  const [titles, first, second] = renderFigures([figure, alone], { hasColour: false });
  expect(titles?.split(/\s+/)).toEqual([
    'BENCH',
    'METRIC',
    'OURS',
    'SPREAD',
    'BESIDE',
    'SPREAD',
    'PEER',
    'RATIO',
    'TARGET',
    'HOLDS',
  ]);
  expect(first?.split(/ {2,}/)).toEqual([
    'dns',
    'names/s',
    '81,235 names/s',
    '80,000–82,000',
    '60,000',
    '59,000–61,000',
    'dns.Resolver',
    '1.35',
    '≥ 1.25 ×',
    'yes',
  ]);
  expect(second).toMatch(/lost .* 0 names\/s .* NO$/);
});

test('a line of JSON has the fields by which others read it', () => {
  expect(JSON.parse(formatFigure(figure))).toEqual({
    bench: 'dns',
    metric: 'names/s',
    ours: 81234.5,
    peer: 'dns.Resolver',
    beside: 60000,
    unit: 'names/s',
    ratio: 1.3539,
    target: '≥ 1.25 ×',
    holds: true,
    rounds: 5,
    ours_spread: [80000, 82000],
    beside_spread: [59000, 61000],
  });
  expect(JSON.parse(formatFigure(alone))).toMatchObject({
    peer: null,
    beside: null,
    ratio: null,
    holds: false,
  });
  expect(formatFigure(figure)).not.toContain('\n');
});

test('the record has the same as Markdown', () => {
  const [titles, rule, first] = tabulateFigures([figure]);
  expect(titles).toMatch(/^\| bench \| metric \| ours \|/);
  expect(rule).toMatch(/^\| --- \| --- \| ---: \|/);
  expect(first).toContain('| 81,235 names/s | 80,000–82,000 | 60,000 |');
});

test.each([
  [null, '-'],
  [Number.NaN, '-'],
  [0, '0'],
  [0.04412, '0.0441'],
  [1.239, '1.24'],
  [12.39, '12.4'],
  [123.9, '124'],
  [1234567.8, '1,234,568'],
])('%s is written as %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
