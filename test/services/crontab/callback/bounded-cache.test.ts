// Which results are kept.
import { expect, test } from 'vitest';
import { keepResults } from '../../../../services/crontab/callback/bounded-cache.ts';

test('the last results are computed once, older ones again', () => {
  const computed: string[] = [];
  const measure = keepResults(2, (key) => {
    computed.push(key);
    return { length: key.length };
  });
  expect(measure('a')).toBe(measure('a'));
  measure('bb');
  measure('ccc');
  expect(computed).toEqual(['a', 'bb', 'ccc']);
  expect(measure('ccc')).toEqual({ length: 3 });
  measure('bb');
  measure('a');
  expect(computed).toEqual(['a', 'bb', 'ccc', 'a']);
});

test('what fails is computed again', () => {
  let calls = 0;
  const fail = keepResults(2, () => {
    calls++;
    throw new Error('not this time');
  });
  expect(() => fail('a')).toThrow('not this time');
  expect(() => fail('a')).toThrow('not this time');
  expect(calls).toBe(2);
});
