// Where to split a path into segments, so that there are as few as possible.
import type { Reach } from './segment-reach.ts';

/** To the place `end` of the path: over shortest paths, or over the link that leads there. */
export type Split = { end: number; isLink: boolean };

export type PathToSplit = {
  /** In links. */
  length: number;
  /** How far segments lead from a place, and over what. */
  reachOf: (place: number) => Reach;
  /** Of all segments together: the product of their numbers of paths. */
  maxPaths: number;
};

/** Beyond these what is found is acceptable still, but there may be something shorter. */
const maxPlaces = 256;
const maxSteps = 20_000;

class TooManyStepsError extends Error {}

/**
 * Segments that share no node, and of these the fewest; of several such splits one with the most paths, of these the
 * one whose first segment leads furthest, and so on, over shortest paths before the link.
 */
export function findShortestSplit(path: PathToSplit): Split[] {
  try {
    return splitExactly(path);
  } catch (error) {
    if (!(error instanceof TooManyStepsError)) throw error;
    return splitCarefully(path);
  }
}

/** Throws when it takes too many steps. */
function splitExactly({ length, reachOf, maxPaths }: PathToSplit): Split[] {
  const fewest = new Map([[length, 0]]);
  const products = new Map<string, Set<number>>();
  const taken = new Set<number>();
  const splits: Split[] = [];
  let steps = 0;

  /** The least number of segments from a place to the end if they might share nodes: each as far as it leads. */
  const fewestFrom = (place: number): number => {
    const places: number[] = [];
    let at = place;
    for (; !fewest.has(at); at += Math.max(reachOf(at).pathCounts.length, 1)) {
      places.push(at);
      if (fewest.size + places.length > maxPlaces) throw new TooManyStepsError();
    }
    let count = fewest.get(at) ?? 0;
    for (const each of places.reverse()) {
      count += 1;
      fewest.set(each, count);
    }
    return count;
  };

  /** The segments from a place that leave no more than `count - 1` to the end, the furthest first. */
  function* stepsFrom(place: number, count: number): Generator<Split & { segments: number; paths: number }> {
    if (place === length) return;
    const { pathCounts } = reachOf(place);
    for (let segments = pathCounts.length; segments > 0; segments -= 1) {
      steps += 1;
      if (steps > maxSteps) throw new TooManyStepsError();
      // The nearer the place, the more segments it takes from there.
      if (fewestFrom(place + segments) >= count) return;
      yield { end: place + segments, isLink: false, segments, paths: pathCounts[segments - 1] ?? 1 };
    }
    // Where one path leads to the next node, it is that link.
    if (pathCounts[0] === 1 || fewestFrom(place + 1) >= count) return;
    yield { end: place + 1, isLink: true, segments: 0, paths: 1 };
  }

  /** How many paths `count` segments from a place to the end can have, if they might share nodes. */
  const productsFrom = (place: number, count: number): Set<number> => {
    if (count === 0) return new Set(place === length ? [1] : []);
    const key = `${place} ${count}`;
    const known = products.get(key);
    if (known !== undefined) return known;
    const found = new Set<number>();
    for (const { end, paths } of stepsFrom(place, count)) {
      for (const rest of productsFrom(end, count - 1)) if (paths * rest <= maxPaths) found.add(paths * rest);
    }
    products.set(key, found);
    return found;
  };

  /** Adds `count` segments from a place to the end, with this many paths; false when all of them share nodes. */
  const complete = (place: number, count: number, product: number): boolean => {
    if (count === 0) return true;
    const reach = reachOf(place);
    for (const { end, isLink, segments, paths } of stepsFrom(place, count)) {
      if (!productsFrom(end, count - 1).has(product / paths)) continue;
      const strangers = strangersOf(reach, segments);
      if (strangers.some((node) => taken.has(node))) continue;
      for (const node of strangers) taken.add(node);
      splits.push({ end, isLink });
      if (complete(end, count - 1, product / paths)) return true;
      splits.pop();
      for (const node of strangers) taken.delete(node);
    }
    return false;
  };

  // Link after link is always acceptable: the last count, if none before.
  for (let count = fewestFrom(0); count <= length; count += 1) {
    const most = [...productsFrom(0, count)].sort((a, b) => b - a);
    if (most.some((product) => complete(0, count, product))) return splits;
  }
  throw new Error('a path that cannot even be led over link after link');
}

/** Each segment as far as those before it allow: never fails, but where a shorter one came first, fewer might follow. */
function splitCarefully({ length, reachOf, maxPaths }: PathToSplit): Split[] {
  const splits: Split[] = [];
  const taken = new Set<number>();
  let paths = 1;
  for (let place = 0; place < length; ) {
    const reach = reachOf(place);
    let segments = reach.pathCounts.length;
    while (
      segments > 0 &&
      (paths * (reach.pathCounts[segments - 1] ?? 1) > maxPaths ||
        strangersOf(reach, segments).some((node) => taken.has(node)))
    ) {
      segments -= 1;
    }
    paths *= reach.pathCounts[segments - 1] ?? 1;
    for (const node of strangersOf(reach, segments)) taken.add(node);
    place += Math.max(segments, 1);
    splits.push({ end: place, isLink: segments === 0 });
  }
  return splits;
}

function strangersOf(reach: Reach, segments: number): number[] {
  return reach.strangers.slice(0, reach.strangerCounts[segments - 1] ?? 0);
}
