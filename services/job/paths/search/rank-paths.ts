// Yen's k best loopless paths with Lawler's improvement, lazily: sets of paths are searched in the order of their bounds.
import { type Completion, createCompletePath } from './complete-path.ts';
import { createDraftWays, type Subspace } from './draft-ways.ts';
import { createOrderedQueue } from './ordered-queue.ts';
import { compareLinks, compareValues, type PathValue } from './path-order.ts';
import { createRemainingWays, type RemainingWays, type Terrain } from './remaining-ways.ts';
import { createStageSearch } from './stage-search.ts';

/** A set of paths that was not searched yet, or with the best one of it. */
type Entry = { subspace: Subspace; best: Completion | undefined };

/**
 * Every loopless path of the terrain once, by its links, the best first. Paths found part the others into sets: those
 * that keep to the path up to some node and leave it there. A set is only searched when its bound comes up.
 */
export function* rankPaths(terrain: Terrain): Generator<readonly number[], void> {
  const remainingWays = createRemainingWays(terrain);
  const stageSearch = createStageSearch(terrain);
  const draftWays = createDraftWays(terrain, remainingWays, stageSearch);
  const completePath = createCompletePath(terrain.isWidestFirst, draftWays, stageSearch.steps);
  const parting = createParting(terrain, remainingWays);
  const queue = createOrderedQueue<Entry>((one, other) => compareEntries(one, other, terrain.isWidestFirst));
  const all = parting.start();
  if (all !== undefined) queue.push({ subspace: all, best: undefined });
  for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) {
    const { subspace, best } = entry;
    if (best === undefined) {
      const found = completePath(subspace);
      if (found !== undefined) queue.push({ subspace, best: found });
      continue;
    }
    yield best.links;
    for (const part of parting.part(subspace, best)) queue.push({ subspace: part, best: undefined });
  }
}

/** With the same value, sets that were not searched come first: a path of theirs may be before the one that was found. */
function compareEntries(one: Entry, other: Entry, isWidestFirst: boolean): number {
  const difference = compareValues(
    one.best ?? one.subspace.bound,
    other.best ?? other.subspace.bound,
    isWidestFirst,
  );
  if (difference !== 0) return difference;
  if (one.best === undefined || other.best === undefined) {
    return Number(one.best !== undefined) - Number(other.best !== undefined);
  }
  return compareLinks(one.best.links, other.best.links);
}

/** Sets of paths with their bounds. */
function createParting(terrain: Terrain, remainingWays: RemainingWays) {
  const { topology, stages, first, second, bandwidths, isWidestFirst } = terrain;
  const { from, to, outgoing } = topology;
  const isPassed = new Uint8Array(topology.nodes.length);
  const later = sumUpLaterStages(terrain, remainingWays);

  return {
    start(): Subspace | undefined {
      const prefix = { width: Number.POSITIVE_INFINITY, first: 0, second: 0 };
      const set = { path: [], length: 0, stage: 0, stageStarts: [0], barredLinks: [], prefix };
      const [stage] = stages;
      if (stage === undefined) return undefined;
      const bound =
        stage.forced === undefined
          ? boundOf(stage.from, 0, [], prefix)
          : join(prefix, later[0] ?? unreachable);
      return bound && { ...set, bound };
    },

    /** All paths of the set but its best one. */
    *part(
      { length, barredLinks, prefix }: Subspace,
      { links, stageStarts }: Completion,
    ): Generator<Subspace> {
      for (const link of links) isPassed[from[link] as number] = 0;
      let value = prefix;
      let stage = stageStarts.findLastIndex((start) => start <= length);
      for (let place = 0; place < length; place += 1) isPassed[from[links[place] as number] as number] = 1;
      for (let place = length; place < links.length; place += 1) {
        if (stageStarts[stage + 1] === place) stage += 1;
        const link = links[place] as number;
        const node = from[link] as number;
        isPassed[node] = 1;
        if (stages[stage]?.forced === undefined) {
          // Paths that leave the node over links barred here are in sets that were made before.
          const barred = place === length ? [...barredLinks, link] : [link];
          const bound = boundOf(node, stage, barred, value);
          const set = { path: links, length: place, stage, stageStarts, barredLinks: barred };
          if (bound !== undefined) yield { ...set, prefix: value, bound };
        }
        value = join(value, ofLink(terrain, link));
      }
      for (const link of links) isPassed[from[link] as number] = 0;
    },
  };

  /** Over the best link that is not barred, and from its end on as if nothing were; undefined where no link leads on. */
  function boundOf(
    node: number,
    stage: number,
    barred: readonly number[],
    prefix: PathValue,
  ): PathValue | undefined {
    const plan = stages[stage];
    const after = later[stage + 1];
    if (plan === undefined || after === undefined) return undefined;
    const remaining = remainingWays.sums(stage, Number.NEGATIVE_INFINITY);
    const widths = isWidestFirst ? remainingWays.widths(stage) : undefined;
    const best = {
      width: Number.NEGATIVE_INFINITY,
      first: Number.POSITIVE_INFINITY,
      second: Number.POSITIVE_INFINITY,
    };
    for (
      let place = outgoing.offsets[node] as number;
      place < (outgoing.offsets[node + 1] as number);
      place += 1
    ) {
      const link = outgoing.links[place] as number;
      const next = to[link] as number;
      const sum = (first[link] as number) + (remaining.first[next] as number);
      if (plan.isUsable[link] === 0 || isPassed[next] === 1 || sum === Number.POSITIVE_INFINITY) continue;
      if (barred.includes(link)) continue;
      const width = widths === undefined ? 0 : Math.min(bandwidths[link] as number, widths[next] as number);
      best.width = Math.max(best.width, width);
      const other = (second[link] as number) + (remaining.second[next] as number);
      if (sum < best.first || (sum === best.first && other < best.second)) best.second = other;
      best.first = Math.min(best.first, sum);
    }
    if (best.first === Number.POSITIVE_INFINITY || after.first === Number.POSITIVE_INFINITY) return undefined;
    return join(prefix, join(best, after));
  }
}

const unreachable: PathValue = {
  width: Number.NEGATIVE_INFINITY,
  first: Number.POSITIVE_INFINITY,
  second: Number.POSITIVE_INFINITY,
};

/** By stage: bounds from its first node to the end of the last stage. */
function sumUpLaterStages(terrain: Terrain, remainingWays: RemainingWays): PathValue[] {
  const { stages, isWidestFirst } = terrain;
  const later: PathValue[] = [{ width: Number.POSITIVE_INFINITY, first: 0, second: 0 }];
  for (const [index, { from, forced }] of [...stages.entries()].reverse()) {
    const [after] = later;
    const remaining = remainingWays.sums(index, Number.NEGATIVE_INFINITY);
    const ofStage =
      forced === undefined
        ? {
            width: isWidestFirst ? (remainingWays.widths(index)[from] as number) : 0,
            first: remaining.first[from] as number,
            second: remaining.second[from] as number,
          }
        : ofLink(terrain, forced);
    later.unshift(join(ofStage, after ?? unreachable));
  }
  return later;
}

function ofLink({ first, second, bandwidths }: Terrain, link: number): PathValue {
  return {
    width: bandwidths[link] as number,
    first: first[link] as number,
    second: second[link] as number,
  };
}

function join(one: PathValue, other: PathValue): PathValue {
  return {
    width: Math.min(one.width, other.width),
    first: one.first + other.first,
    second: one.second + other.second,
  };
}
