// Record types by name and by number.
import { expect, test } from 'vitest';
import { formatRtype, parseRtype, rtypeNames } from '../../contracts/dns-rtype.ts';

test('every name stands for a type of its own that can be written back and read again', () => {
  const numbers = rtypeNames.map((name) => parseRtype(name) ?? 0);
  expect(new Set(numbers).size).toBe(rtypeNames.length);
  for (const number of numbers) expect(parseRtype(formatRtype(number))).toBe(number);
});

test('every number that can stand in a question is read back from what it is written as', () => {
  const refused: number[] = [];
  for (let number = 1; number <= 65_535; number += 1) {
    const isRead = parseRtype(`TYPE${number}`) === number && parseRtype(formatRtype(number)) === number;
    if (!isRead) refused.push(number);
  }
  expect(refused).toEqual([41, 249, 250, 251, 252]);
});

test.each([
  ['A', 1],
  ['aaaa', 28],
  ['HTTPS', 65],
  ['SVCB', 64],
  ['TYPE65', 65],
  ['ANY', 255],
  ['CAA', 257],
])('%s is %i', (name, number) => {
  expect(parseRtype(name)).toBe(number);
});
