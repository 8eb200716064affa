// A search that was given up.

/** Its waypoints make the search one of those that take time, or memory, without bound. */
export class SearchTooHardError extends Error {
  override readonly name = 'SearchTooHardError';
}
