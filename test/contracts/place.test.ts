// Places as patterns.
import { expect, test } from 'vitest';
import { matchesPlace, regionSchema } from '../../contracts/place.ts';

const zhuhai = { country: '86', province: '440000', city: '440400', carrier: '电信' };

test.each([
  [[86, 440000, 440400, '电信'], true],
  [['86'], true],
  [[], true],
  [[null, 440000], true],
  [[0, '', '*', '电信'], true],
  [[86, 440000, 440400, '联通'], false],
  [[86, 110000], false],
  [[null, null, 440300], false],
])('the region %j holds an agent in Zhuhai: %s', (region, expected) => {
  expect(matchesPlace(regionSchema.parse(region), zhuhai)).toBe(expected);
});
