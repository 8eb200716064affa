// What is stored of a task: nothing that can be read without the key.
import { expect, test } from 'vitest';
import { createSeal, SealError } from '../../../services/dispatch/seal.ts';

const seal = createSeal('a secret of thirty-two characters');

test('opens what it closed', () => {
  const value = { params: { password: '密码 $ecret', list: [1, null, true] } };
  expect(seal.open(seal.close(value))).toEqual(value);
});

test('shows nothing of the value, and never the same octets twice', () => {
  const closed = seal.close({ password: 'canary-4711' });
  expect(closed.includes('canary')).toBe(false);
  expect(seal.close({ password: 'canary-4711' }).equals(closed)).toBe(false);
});

test('refuses what was closed under another key', () => {
  const other = createSeal('another secret of thirty-two chars');
  expect(() => seal.open(other.close(1))).toThrow(SealError);
});

test.each([0, 1, 20, 40])('refuses what was changed at octet %d', (position) => {
  const closed = seal.close({ some: 'text that is long enough' });
  closed[position] = (closed[position] ?? 0) ^ 1;
  expect(() => seal.open(closed)).toThrow(SealError);
});

test('refuses what is cut', () => {
  const closed = seal.close('text');
  expect(() => seal.open(closed.subarray(0, 20))).toThrow(SealError);
  expect(() => seal.open(closed.subarray(0, -1))).toThrow(SealError);
  expect(() => seal.open(Buffer.alloc(0))).toThrow(SealError);
});
