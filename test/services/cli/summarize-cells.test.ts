import { expect, test } from 'vitest';
import { cellFailures } from '../../../contracts/probe.ts';
import { isFailedCell, summarizeCells } from '../../../services/cli/summarize-cells.ts';

const cell = (dns_response_status: string, delay: number | null = null) => ({ dns_response_status, delay });

test('counts every DNS reply as an answer, whatever its rcode', () => {
  const summary = summarizeCells([
    cell('NXDOMAIN', 2),
    cell('NOERROR', 1),
    cell('TIMEOUT'),
    cell('NXDOMAIN', 3),
  ]);
  expect(summary).toEqual({
    cells: 4,
    answered: 3,
    statuses: [
      ['NXDOMAIN', 2],
      ['NOERROR', 1],
      ['TIMEOUT', 1],
    ],
    medianDelayMs: 2,
  });
});

test('takes the lower of two middle delays, and none of failed cells', () => {
  expect(summarizeCells([cell('NOERROR', 9), cell('NOERROR', 4), cell('MALFORMED', 1)]).medianDelayMs).toBe(
    4,
  );
});

test('has no median without delays', () => {
  expect(summarizeCells([]).medianDelayMs).toBeNull();
  expect(summarizeCells([cell('TIMEOUT')]).medianDelayMs).toBeNull();
});

test.each(cellFailures)('takes %s for a failure', (status) => {
  expect(isFailedCell(cell(status))).toBe(true);
});

test.each(['NOERROR', 'SERVFAIL', 'BADVERS', '3841'])('takes %s for an answer', (status) => {
  expect(isFailedCell(cell(status))).toBe(false);
});
