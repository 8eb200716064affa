// Patterns of users: what they match, and that none of them can hold the process up.
import { expect, test } from 'vitest';
import { findPatternFault, matchesPattern } from '../../../../services/crontab/callback/response-pattern.ts';

test.each([
  ['', 'x', true],
  ['*', '', true],
  ['ok', 'it is ok', true],
  ['^ok$', 'it is ok', false],
  ['(?i)OK', 'ok', true],
  ['中.', '中文', true],
  ['a.b', 'a\nb', false],
  ['(?s)a.b', 'a\nb', true],
  ['(?m)^b$', 'a\nb', true],
  ['[[:digit:]]+\\pL', '12中', true],
])('%j in %j: %s', (pattern, text, isMatch) => {
  expect(findPatternFault(pattern)).toBeUndefined();
  expect(matchesPattern(pattern, text)).toBe(isMatch);
});

test('a pattern with a fault matches nothing', () => {
  expect(findPatternFault('(')).toMatch(/missing closing \)/);
  expect(matchesPattern('(', '(')).toBe(false);
});

test('a pattern that would take a backtracking matcher for ever takes no time to speak of', () => {
  const begunMs = performance.now();
  expect(matchesPattern('(a+)+$', `${'a'.repeat(65_535)}!`)).toBe(false);
  expect(performance.now() - begunMs).toBeLessThan(1000);
});

test.each(['\\pL{1000}', '(.{0,100}){9}', 'a{900}', '(\\b.?){500}'])('%s is too large', (pattern) => {
  expect(findPatternFault(pattern)).toMatch(/^is too large: \d+ steps/);
});

test.each([`(?:${'ab|cd|'.repeat(160)}){1000}`, 'x{1000}'.repeat(140), `(${'(a{9}){9}'.repeat(100)}){9}`])(
  '%s is refused without writing it out',
  (pattern) => {
    const begunMs = performance.now();
    expect(findPatternFault(pattern)).toMatch(/^is too large: \d+ steps/);
    expect(performance.now() - begunMs).toBeLessThan(100);
  },
);

test.each([
  '[{900}]{9}',
  '\\Q{9000}\\E',
  '\\{9000}',
  `(?:${'a|b|'.repeat(40)}c){50}`,
  '[]{]{0,9}[[:alpha:]{]',
])('%s is small, whatever it looks like', (pattern) => {
  expect(findPatternFault(pattern)).toBeUndefined();
});
