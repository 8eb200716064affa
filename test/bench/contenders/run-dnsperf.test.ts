import { expect, test } from 'vitest';
import { checkDnsperf, parseDnsperfDelays, parseDnsperfStatistics } from './run-dnsperf.ts';

const output = `> NOERROR www1.bench.test A 0.000044
> SERVFAIL www2.bench.test A 0.001500
> T www3.bench.test A
Statistics:

  Queries sent:         5000
  Queries completed:    4999 (99.98%)
  Queries lost:         1 (0.02%)

  Response codes:       SERVFAIL 9 (0.18%), NOERROR 4990 (99.82%)
  Average packet size:  request 35, response 67
  Run time (s):         1.000216
  Queries per second:   4998.920233

  Average Latency (s):  0.000050 (min 0.000026, max 0.007426)
`;

test('what dnsperf counts is read', () => {
  expect(parseDnsperfStatistics(output)).toEqual({
    sent: 5000,
    completed: 4999,
    lost: 1,
    noerror: 4990,
    elapsedMs: expect.closeTo(1000.216),
  });
});

test('the delay of each answer is read, in milliseconds', () => {
  expect(parseDnsperfDelays(output)).toEqual([expect.closeTo(0.044), expect.closeTo(1.5)]);
});

test('statistics without a count are refused', () => {
  expect(() => parseDnsperfStatistics('Statistics:\n  Queries sent: 1\n')).toThrow(/does not tell/);
});

test.each([
  [{ sent: 10, completed: 0, lost: 10, noerror: 0 }, 'none of 10 queries was answered'],
  [{ sent: 10, completed: 9, lost: 0, noerror: 9 }, '1 of 10 queries had no end'],
  [{ sent: 10, completed: 9, lost: 1, noerror: 8 }, '1 of 9 answers were none'],
])('%j is not right', (counts, text) => {
  expect(() => checkDnsperf({ ...counts, elapsedMs: 1 })).toThrow(text);
});
