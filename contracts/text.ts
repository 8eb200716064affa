// Free text that callers give and that is stored as it is.
import { z } from 'zod';

/** Up to `maxLength` characters without control characters (Postgres cannot store NUL, and logs stay readable). */
export function textSchema(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .regex(/^\P{Cc}*$/u, 'has control characters');
}
