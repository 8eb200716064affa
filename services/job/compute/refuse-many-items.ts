// A bound on what a schema has to look at, for the sake of the memory that its faults take.
import { invalidRequest } from '../../../contracts/errors.ts';

/** Of all lists of a request together: more than two of the largest networks and the ways of all policies have. */
export const maxItems = 1_000_000;

/**
 * Throws `INVALID_REQUEST` for more items. A schema notes a fault for each item that is wrong: of eight million in a body of
 * 16 MiB that is more than the memory of a thread, and the process may end with it.
 */
export function refuseManyItems(request: object): void {
  const open: object[] = [request];
  let count = 0;
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (Array.isArray(next)) count += next.length;
    if (count > maxItems) {
      const reason = `expected at most ${maxItems} items in all lists together`;
      throw invalidRequest([{ path: '', reason }]);
    }
    for (const value of Object.values(next)) {
      if (typeof value === 'object' && value !== null) open.push(value);
    }
  }
}
