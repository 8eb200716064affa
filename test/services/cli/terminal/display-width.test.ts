import { describe, expect, test } from 'vitest';
import {
  cutColumns,
  displayWidth,
  padColumns,
  wrapColumns,
} from '../../../../services/cli/terminal/display-width.ts';

describe('displayWidth', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['电信', 4],
    ['ﾃｽﾄ', 3],
    ['ＡＢ', 4],
    ['한국', 4],
    ['é', 1],
    ['e\u0301', 1],
    ['a\u200db', 2],
    ['soft\u00adhyphen', 11],
    ['…', 1],
    ['🙂', 2],
    ['🇨🇳', 2],
    ['𠀀', 2],
    ['86/440000 移动', 14],
  ])('of %j is %i', (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });
});

describe('padColumns', () => {
  test('fills up by columns, not by characters', () => {
    expect(padColumns('电信', 6)).toBe('电信  ');
    expect(padColumns('1.5', 6, 'right')).toBe('   1.5');
  });

  test('leaves wider text as it is', () => {
    expect(padColumns('abcdef', 3)).toBe('abcdef');
  });
});

describe('cutColumns', () => {
  test('leaves text that fits', () => {
    expect(cutColumns('电信', 4)).toBe('电信');
  });

  test('never cuts through a wide character', () => {
    expect(cutColumns('中国电信', 6)).toBe('中国…');
    expect(displayWidth(cutColumns('中国电信', 6))).toBe(5);
  });
});

describe('wrapColumns', () => {
  test('breaks at blanks', () => {
    expect(wrapColumns('"one two three"', 9)).toEqual(['"one two', 'three"']);
  });

  test('breaks words that are too long themselves', () => {
    expect(wrapColumns('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij']);
  });

  test('leaves out nothing but the blanks it breaks at', () => {
    const text = `10 0 ${'A'.repeat(50)} 中国电信 tail`;
    const lines = wrapColumns(text, 7);
    expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    expect(Math.max(...lines.map(displayWidth))).toBeLessThanOrEqual(7);
  });

  test('ends on a width below one character', () => {
    expect(wrapColumns('中国', 1)).toEqual(['中', '国']);
  });
});
