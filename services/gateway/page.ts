// Pages of a list in a stable order.

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
