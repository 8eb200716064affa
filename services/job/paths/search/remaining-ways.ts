// What is left to the end of a stage from every node: exact where nothing is barred, a bound where something is.
import FlatQueue from 'flatqueue';
import type { Topology } from '../network/topology.ts';
import { findWidths } from './find-widths.ts';
import type { Stage } from './plan-stages.ts';
import { SearchTooHardError } from './search-too-hard-error.ts';

/** What paths are compared by. */
export type Terrain = {
  topology: Topology;
  stages: readonly Stage[];
  /** By link, above 0: of two paths the one with the smaller sum of `first` is better, then with that of `second`. */
  first: Float64Array;
  second: Float64Array;
  bandwidths: Float64Array;
  /** Whether the wider path is the better one, before all sums. */
  isWidestFirst: boolean;
};

/** By node: the sums of the best way to the end of the stage, Infinity where there is none. */
export type Remaining = { first: Float64Array; second: Float64Array };

export type RemainingWays = {
  /** Over links of at least this bandwidth. */
  sums(stage: number, width: number): Remaining;
  /** By node: how wide the widest way to the end of the stage is; -Infinity where there is none. */
  widths(stage: number): Float64Array;
};

/** Numbers that are kept at once: 64 MiB of them. */
const maxKept = 8 * 2 ** 20;

/** Each is computed when it is asked for the first time. Throws SearchTooHardError when they would not fit into memory. */
export function createRemainingWays(terrain: Terrain): RemainingWays {
  const { stages, topology, bandwidths } = terrain;
  const perWidth = 2 * stages.length * topology.nodes.length;
  if (perWidth > maxKept) throw new SearchTooHardError('too many waypoints for a network of this size');
  const sumsByWidth = new Map<number, (Remaining | undefined)[]>();
  const widthsByStage: (Float64Array | undefined)[] = [];
  return {
    sums(stage, width) {
      let ofWidth = sumsByWidth.get(width);
      if (ofWidth === undefined) {
        forgetOldest(sumsByWidth, Math.max(2, Math.floor(maxKept / perWidth)));
        ofWidth = [];
        sumsByWidth.set(width, ofWidth);
      }
      ofWidth[stage] ??= sumUp(terrain, stageOf(terrain, stage), width);
      return ofWidth[stage];
    },
    widths(stage) {
      widthsByStage[stage] ??= findWidths({
        topology,
        bandwidths,
        stage: stageOf(terrain, stage),
        isOpen: () => true,
      });
      return widthsByStage[stage];
    },
  };
}

/** By its place; throws a RangeError where there is none. */
export function stageOf({ stages }: Pick<Terrain, 'stages'>, index: number): Stage {
  const stage = stages[index];
  if (stage === undefined) throw new RangeError(`there is no stage ${index}`);
  return stage;
}

/** The first one is that of all links, which every bound needs. */
function forgetOldest(kept: Map<number, unknown>, limit: number): void {
  if (kept.size < limit) return;
  const [, oldest] = kept.keys();
  if (oldest !== undefined) kept.delete(oldest);
}

/**
 * Dijkstra's algorithm, backwards, by pairs. As `first` is above 0, whatever leads on from a node in the best way comes
 * out of the queue before the node itself, so that its `second` is final by then.
 */
function sumUp({ topology, first, second, bandwidths }: Terrain, stage: Stage, width: number): Remaining {
  const { from, incoming } = topology;
  const { offsets, links } = incoming;
  const { isUsable } = stage;
  const firstOf = new Float64Array(topology.nodes.length).fill(Number.POSITIVE_INFINITY);
  const secondOf = new Float64Array(topology.nodes.length).fill(Number.POSITIVE_INFINITY);
  const queue = new FlatQueue<number>();
  firstOf[stage.to] = 0;
  secondOf[stage.to] = 0;
  queue.push(stage.to, 0);
  for (;;) {
    const sum = queue.peekValue();
    const node = queue.pop();
    if (node === undefined || sum === undefined) return { first: firstOf, second: secondOf };
    if (sum > (firstOf[node] as number)) continue;
    const nodeSecond = secondOf[node] as number;
    const end = offsets[node + 1] as number;
    for (let place = offsets[node] as number; place < end; place += 1) {
      const link = links[place] as number;
      if (isUsable[link] === 0 || (bandwidths[link] as number) < width) continue;
      const before = from[link] as number;
      const nextFirst = sum + (first[link] as number);
      const known = firstOf[before] as number;
      if (nextFirst > known) continue;
      const nextSecond = nodeSecond + (second[link] as number);
      if (nextFirst < known) {
        firstOf[before] = nextFirst;
        secondOf[before] = nextSecond;
        queue.push(before, nextFirst);
      } else if (nextSecond < (secondOf[before] as number)) {
        secondOf[before] = nextSecond;
      }
    }
  }
}
