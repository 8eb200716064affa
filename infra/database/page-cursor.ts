// Positions in a long list, as replies give them and requests bring them back.
import type { z } from 'zod';
import { invalidRequest } from '../../contracts/errors.ts';

/** A position in an order of several columns as one opaque text. */
export function encodeCursor(position: unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** Undefined without a cursor, or with an empty one; throws `INVALID_REQUEST` for one that no reply gave. */
export function decodeCursor<Position>(
  cursor: string | null | undefined,
  schema: z.ZodType<Position>,
): Position | undefined {
  if (cursor == null || cursor === '') return undefined;
  const position = schema.safeParse(readJson(Buffer.from(cursor, 'base64url').toString()));
  if (position.success) return position.data;
  throw invalidRequest([{ path: 'cursor', reason: 'expected a cursor as a reply gave it' }]);
}

/** Undefined for what is no JSON: no position is that. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
