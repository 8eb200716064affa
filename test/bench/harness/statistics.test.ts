import { expect, test } from 'vitest';
import { median, quantile, spreadOf } from './statistics.ts';

test('a quantile lies between the samples around it', () => {
  expect(quantile([4, 1, 3, 2], 0)).toBe(1);
  expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
  expect(quantile([4, 1, 3, 2], 1)).toBe(4);
  expect(quantile([10, 20], 0.25)).toBe(12.5);
});

test('the samples keep their order', () => {
  const samples = [3, 1, 2];
  expect(median(samples)).toBe(2);
  expect(samples).toEqual([3, 1, 2]);
});

test('numbers are ordered by their size, not as text', () => {
  expect(median([100, 9, 20])).toBe(20);
  expect(spreadOf([100, 9, 20])).toEqual([9, 100]);
});

test('without samples there is no quantile', () => {
  expect(median([])).toBeNaN();
});
