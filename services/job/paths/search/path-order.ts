// Which of two paths, or of two sets of paths, is the better one.

/** Sums and width of a path, or bounds of those of a set of paths: no path of it is better. */
export type PathValue = { width: number; first: number; second: number };

/** Negative where `one` is better. */
export function compareValues(one: PathValue, other: PathValue, isWidestFirst: boolean): number {
  if (isWidestFirst && one.width !== other.width) return one.width > other.width ? -1 : 1;
  if (one.first !== other.first) return one.first < other.first ? -1 : 1;
  if (one.second !== other.second) return one.second < other.second ? -1 : 1;
  return 0;
}

/** What ties are broken by, so that every run has the same order: the indexes of the links where the paths part. */
export function compareLinks(one: readonly number[], other: readonly number[]): number {
  const length = Math.min(one.length, other.length);
  for (let place = 0; place < length; place += 1) {
    const difference = (one[place] as number) - (other[place] as number);
    if (difference !== 0) return difference;
  }
  return one.length - other.length;
}
