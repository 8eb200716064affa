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
