// A request that says which task or log it means: its headers and its body, checked together.
import type { z } from 'zod';
import type { HttpContext } from '../../../infra/http/register-calls.ts';
import { type Origin, readHeaders } from './read-headers.ts';
import { faultsIn, refuseRequest } from './request-faults.ts';

/** Throws `INVALID_REQUEST` with all that is wrong. */
export function readRequest<Request>(
  schema: z.ZodType<Request>,
  body: unknown,
  context: HttpContext,
): { origin: Origin; request: Request } {
  const { origin, faults } = readHeaders(context);
  const parsed = schema.safeParse(body);
  if (parsed.success && faults.length === 0) return { origin, request: parsed.data };
  throw refuseRequest([...faults, ...(parsed.success ? [] : faultsIn(parsed.error, body))]);
}
