// Which policies to move away from a congested link: sets of them whose traffic covers the excess, least effort first.
import FlatQueue from 'flatqueue';
import { type Candidate, createKnapsack, type Knapsack } from './knapsack.ts';

/** The search is given up beyond so many steps: it is a knapsack problem. */
const maxSteps = 20_000;
/** So many sets of the same effort are put in order; among more the first ones found go first. */
const maxTied = 256;
/** So many sets are made by greed, once the search is given up. */
const maxGreedy = 200;
/** In relation to the least effort: closer ones are the same. */
const effortPrecision = 1e-9;
/** In relation to the excess: what is closer to it covers it. */
const excessPrecision = 1e-12;

type Chosen = { place: number; before: Chosen | undefined };
/** What comes of it has `level` as its effort at least; `isSet`: it is a set as it stands. */
type Step = {
  place: number;
  chosen: Chosen | undefined;
  effort: number;
  need: number;
  isSet: boolean;
  level: number;
};

/**
 * Yields sets as the indexes of their members, ascending: by effort, and those of the same effort by size, then by the
 * first index in which they differ: `candidates` stand in the order of preference. A set that covers the excess is
 * followed by those that have it inside, too. When the search gets too long, sets made by greed follow the ones found
 * until then, and some may come twice.
 */
export function* chooseSets(candidates: readonly Candidate[], excess: number): Generator<number[], void> {
  const tolerance = excess * excessPrecision;
  const knapsack = createKnapsack(candidates, tolerance);
  const { order, endOfAlike, leastEffort } = knapsack;
  const unit = (knapsack.bound(0, excess) || 1) * effortPrecision;
  const queue = new FlatQueue<Step>();
  const push = (step: Omit<Step, 'level' | 'isSet'>, isNew: boolean): void => {
    const { place, effort, need } = step;
    const isSet = isNew && need <= tolerance;
    const more = need > tolerance ? knapsack.bound(place, need) : isSet ? 0 : (leastEffort[place] as number);
    if (more === Number.POSITIVE_INFINITY) return;
    const level = Math.round((effort + more) / unit);
    // Deeper ones first among equals, so that a first set is found before all the ones like it are begun.
    const depth = (2 * place + (isNew ? 1 : 0)) / (2 * order.length + 2);
    queue.push({ ...step, isSet, level }, level + 1 - depth);
  };

  let tied: number[][] = [];
  let tiedLevel = 0;
  push({ place: 0, chosen: undefined, effort: 0, need: excess }, false);
  for (let steps = 0; steps < maxSteps; steps += 1) {
    const step = queue.pop();
    if (step === undefined || step.level > tiedLevel || tied.length >= maxTied) {
      yield* tied.sort(compareSets);
      tied = [];
    }
    if (step === undefined) return;
    const { place, chosen, effort, need } = step;
    tiedLevel = step.level;
    if (step.isSet) {
      for (const places of variantsOf(placesOf(chosen), knapsack)) {
        if (tied.push(toSet(places, order)) >= maxTied) break;
      }
    }
    if (place === order.length) continue;
    const candidate = candidates[order[place] as number] as Candidate;
    push(
      {
        place: place + 1,
        chosen: { place, before: chosen },
        effort: effort + candidate.effort,
        need: need - candidate.traffic,
      },
      true,
    );
    // Of those alike the first ones are chosen here: `variantsOf` has the others.
    push({ place: endOfAlike[place] as number, chosen, effort, need }, false);
  }
  yield* tied.sort(compareSets);
  yield* chooseGreedily(candidates, knapsack, excess);
}

/** What greed takes, then what it takes without one of these each time: least effort first. */
function chooseGreedily(candidates: readonly Candidate[], knapsack: Knapsack, excess: number): number[][] {
  const first = knapsack.takeGreedily(excess);
  const others = first.slice(0, maxGreedy).map((place) => knapsack.takeGreedily(excess, place));
  const sets = [first, ...others]
    .filter((places) => places.length > 0)
    .map((places) => toSet(places, knapsack.order));
  const effortOf = (set: readonly number[]) =>
    set.reduce((sum, index) => sum + (candidates[index]?.effort ?? 0), 0);
  return sets.sort((one, other) => effortOf(one) - effortOf(other) || compareSets(one, other));
}

function compareSets(one: readonly number[], other: readonly number[]): number {
  const at = one.findIndex((index, place) => index !== other[place]);
  return one.length - other.length || (one[at] ?? 0) - (other[at] ?? 0);
}

function toSet(places: readonly number[], order: readonly number[]): number[] {
  return places.map((place) => order[place] as number).sort((one, other) => one - other);
}

function placesOf(chosen: Chosen | undefined): number[] {
  const places: number[] = [];
  for (let at = chosen; at !== undefined; at = at.before) places.push(at.place);
  return places.reverse();
}

/** Those chosen of one kind; candidates of this kind end before `end`. */
type Group = { start: number; end: number; chosen: number[] };

/** All the ways to choose others alike instead, itself first. `places` ascend, and begin each group of those alike. */
function* variantsOf(places: readonly number[], { endOfAlike }: Knapsack): Generator<number[], void> {
  const groups: Group[] = [];
  for (const place of places) {
    const last = groups.at(-1);
    if (last !== undefined && place < last.end) last.chosen.push(place);
    else groups.push({ start: place, end: endOfAlike[place] as number, chosen: [place] });
  }
  // As the digits of a number: the last group that can goes on, and those behind it begin anew.
  do yield groups.flatMap(({ chosen }) => chosen);
  while (groups.findLastIndex(goOn) !== -1);
}

/** To the next combination in lexicographic order; false: to the first one again. */
function goOn({ start, end, chosen }: Group): boolean {
  const movable = chosen.findLastIndex((place, at) => place < end - chosen.length + at);
  const from = movable === -1 ? start : (chosen[movable] as number) + 1;
  for (let at = Math.max(movable, 0); at < chosen.length; at += 1) {
    chosen[at] = from + at - Math.max(movable, 0);
  }
  return movable !== -1;
}
