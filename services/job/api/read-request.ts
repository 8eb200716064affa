// A request whose fields are few: all that is wrong with it at once.
import type { z } from 'zod';
import { faultsOf, invalidRequest } from '../../../contracts/errors.ts';

/** Throws `INVALID_REQUEST` with every fault. */
export function readRequest<Request>(schema: z.ZodType<Request>, given: unknown): Request {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = faultsOf(parsed.error).map((fault) =>
    isMissing(given, fault.path) ? { ...fault, reason: 'is missing' } : fault,
  );
  throw invalidRequest(faults, parsed.error.issues.length);
}

function isMissing(given: unknown, field: string): boolean {
  return typeof given === 'object' && given !== null && field !== '' && !Object.hasOwn(given, field);
}
