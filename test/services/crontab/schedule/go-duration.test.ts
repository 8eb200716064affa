// Durations in Go's grammar.
import { describe, expect, test } from 'vitest';
import { parseGoDuration } from '../../../../services/crontab/schedule/go-duration.ts';

describe('parseGoDuration', () => {
  test.each<[string, bigint]>([
    ['0', 0n],
    ['5s', 5_000_000_000n],
    ['30m', 1_800_000_000_000n],
    ['1h30m', 5_400_000_000_000n],
    ['1.5h', 5_400_000_000_000n],
    ['.5m', 30_000_000_000n],
    ['5.s', 5_000_000_000n],
    ['1h2m3.25s', 3_723_250_000_000n],
    ['3s2h', 7_203_000_000_000n],
    ['100ms', 100_000_000n],
    ['10us', 10_000n],
    ['10\u00b5s', 10_000n],
    ['10\u03bcs', 10_000n],
    ['7ns', 7n],
    ['0.7s0.1s0.2s', 1_000_000_000n],
    ['0.3333333333333333333h', 1_199_999_999_999n],
    ['+5s', 5_000_000_000n],
    ['-1.5h', -5_400_000_000_000n],
    ['9223372036854775807ns', 2n ** 63n - 1n],
  ])('%s is %s ns', (text, nanoseconds) => {
    expect(parseGoDuration(text)).toBe(nanoseconds);
  });

  test.each([
    '',
    '5',
    '1.5',
    's',
    '.s',
    '+',
    '-',
    '5 s',
    ' 5s',
    '5S',
    '1d',
    '1w',
    '1h30',
    '1e3s',
    '--5s',
    '1.2.3s',
    'Xm',
    '9223372036854775808ns',
    '2562048h',
    '99999999999999999999999999h',
  ])('"%s" is no duration', (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  });
});
