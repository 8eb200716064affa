import { expect, test } from 'vitest';
import { formatLag, formatMoment, formatUnixSeconds } from '../../../../services/cli/task/moment-text.ts';

test('a moment is shown to the second', () => {
  expect(formatMoment('2026-09-20T08:00:17.123Z')).toBe('2026-09-20T08:00:17Z');
  expect(formatMoment('soon')).toBe('soon');
  expect(formatUnixSeconds(1_767_225_600)).toBe('2026-01-01T00:00:00Z');
  expect(formatUnixSeconds(1e18)).toBe('1000000000000000000');
});

test.each([
  ['2026-09-20T08:00:17.273Z', '+0.15 s'],
  ['2026-09-20T08:00:17.123Z', '+0.00 s'],
  ['2026-09-20T08:00:17.000Z', '-0.12 s'],
  ['2026-09-20T09:00:17.123Z', '+3600 s'],
  ['never', '-'],
])('the lag of %s is %s', (planned, lag) => {
  expect(formatLag('2026-09-20T08:00:17.123Z', planned)).toBe(lag);
});
