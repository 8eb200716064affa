import { expect, test } from 'vitest';
import { listSome } from '../../../../services/cli/task/list-some.ts';
import { displayWidth } from '../../../../services/cli/terminal/display-width.ts';

const items = ['a.test', 'b.test', 'c.test', 'd.test'];

test('lists the first ones and how many more there are', () => {
  expect(listSome(items, { most: 4 })).toBe('a.test, b.test, c.test, d.test');
  expect(listSome(items, { most: 2 })).toBe('a.test, b.test +2');
  expect(listSome([], { most: 2 })).toBe('-');
});

test('lists fewer in a narrow column, and always how many more', () => {
  expect(listSome(items, { most: 3, width: 20 })).toBe('a.test, b.test +2');
  expect(listSome(items, { most: 3, width: 10 })).toBe('a.test +3');
  expect(listSome(items, { most: 3, width: 8 })).toBe('a.te… +3');
  expect(listSome(['长长长长长', 'x'], { most: 2, width: 9 })).toBe('长长… +1');
  expect(displayWidth(listSome(['长长长长长', 'x'], { most: 2, width: 9 }))).toBeLessThanOrEqual(9);
});
