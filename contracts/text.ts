// Free text that callers give and that is stored as it is.
import { z } from 'zod';

/**
 * Up to `maxLength` characters without control characters (Postgres cannot store NUL, and logs stay readable) or
 * halves of surrogate pairs (they have no UTF-8).
 */
export function textSchema(maxLength: number) {
  return z
    .string()
    .max(maxLength)
    .refine((text) => !/\p{Cc}/u.test(text), { error: 'has control characters' })
    .refine((text) => text.isWellFormed(), { error: 'has half a surrogate pair' });
}
