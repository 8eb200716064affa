// The text names of DNS classes.

const classNames = new Map([
  [0, 'RESERVED0'],
  [1, 'IN'],
  [3, 'CH'],
  [4, 'HS'],
  [254, 'NONE'],
  [255, 'ANY'],
]);

/** The name of a class, else `CLASSn` (RFC 3597). */
export function formatRdclass(rdclass: number): string {
  return rdclass === 1 ? 'IN' : (classNames.get(rdclass) ?? `CLASS${rdclass}`);
}
