// Coded errors as replies.
import { expect, test } from 'vitest';
import { z } from 'zod';
import { decodeReply } from '../../contracts/decode.ts';
import {
  errorCatalog,
  faultsOf,
  formatErrorReply,
  invalidRequest,
  isErrorCode,
  ProbeTaskError,
} from '../../contracts/errors.ts';
import { rpcs } from '../../contracts/rpc.ts';

test.each(Object.keys(errorCatalog).filter(isErrorCode))('%s comes back from its reply as it was', (code) => {
  const error = new ProbeTaskError(code, 'what went wrong', { size: 2, limit: 1 });
  const body = Buffer.from(JSON.stringify(formatErrorReply(error)));
  expect(() => decodeReply(rpcs.taskGet, body)).toThrow(error);
});

test('an error without details has none in its reply', () => {
  expect(formatErrorReply(new ProbeTaskError('NO_AGENTS', 'none')).error).not.toHaveProperty('details');
});

test('a refusal lists the first 20 faults and counts them all', () => {
  const parsed = z.array(z.string()).safeParse(Array(100_000).fill(7));
  if (parsed.success) throw new Error('numbers passed for strings');
  const error = invalidRequest(faultsOf(parsed.error), parsed.error.issues.length);
  expect(error.message).toMatch(/^0: .+ \(and 99999 more\)$/);
  expect(error.details?.faults).toHaveLength(20);
  expect(error.details?.total).toBe(100_000);
});

test('a fault under a key as long as a message is told in a few words', () => {
  const error = invalidRequest([{ path: 'k'.repeat(1_000_000), reason: 'r'.repeat(1_000_000) }]);
  expect(JSON.stringify(formatErrorReply(error)).length).toBeLessThan(1500);
});

test('a code of the catalogue is told from what an object inherits', () => {
  expect(isErrorCode('NO_AGENTS')).toBe(true);
  expect(isErrorCode('toString')).toBe(false);
});
