// Pages of a list in a stable order, and the cursors that lead from one to the next.
import type { z } from 'zod';
import { invalidRequest } from '../../contracts/errors.ts';

/** `nextCursor` is the key of the last row, undefined on the last page. */
export type Page<Row> = { rows: Row[]; nextCursor: string | undefined };

/** Makes a page of what a query for one row more than `limit` found: that one tells whether a next page exists. */
export function cutPage<Row>(
  found: Row[],
  limit: number | null | undefined,
  keyOf: (row: Row) => string,
): Page<Row> {
  if (limit == null || found.length <= limit) return { rows: found, nextCursor: undefined };
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return { rows, nextCursor: last && keyOf(last) };
}

/** What a reply has beside its entries: names and a cursor. */
const envelopeOctets = 1024;

/** How many of the entries from the first on a reply of so many octets can hold; never less than one. */
export function fitOctets(entries: unknown[], maxOctets: number): number {
  let octets = envelopeOctets;
  for (const [index, entry] of entries.entries()) {
    octets += Buffer.byteLength(JSON.stringify(entry)) + 1;
    if (index > 0 && octets > maxOctets) return index;
  }
  return entries.length;
}

/** A position in an order of several columns as one opaque text. */
export function encodeCursor(position: unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** The position of a cursor, undefined without one; throws `INVALID_REQUEST` for one that no reply gave. */
export function decodeCursor<Position>(
  cursor: string | null | undefined,
  schema: z.ZodType<Position>,
): Position | undefined {
  if (cursor == null) return undefined;
  const position = schema.safeParse(readJson(Buffer.from(cursor, 'base64url')));
  if (position.success) return position.data;
  throw invalidRequest([{ path: 'cursor', reason: 'expected a cursor as a reply gave it' }]);
}

/** Undefined for what is no JSON: no position is that. */
function readJson(octets: Buffer): unknown {
  try {
    return JSON.parse(octets.toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
