// A way for each stage, the best for itself, around what is barred: a bound, as ways may have nodes in common.
import type { PathValue } from './path-order.ts';
import type { RemainingWays, Terrain } from './remaining-ways.ts';
import type { StageQuery, StageSearch } from './stage-search.ts';

/** A set of paths. */
export type Subspace = {
  /** The first `length` links of this path are those of all paths of the set. */
  path: readonly number[];
  length: number;
  /** The stage in which they part. */
  stage: number;
  /** By stage, up to that one: the place in `path` where it begins. */
  stageStarts: readonly number[];
  /** Links that no path of the set has next. */
  barredLinks: readonly number[];
  /** Of the first links. */
  prefix: PathValue;
  /** Of the whole paths: none is better. */
  bound: PathValue;
};

/** That a node is not passed in a stage, or in no other stage than that. */
export type Bar = { node: number; stage: number; isElsewhere: boolean; next: Bar | undefined };

/** A node that two stages pass, with the first of them. */
export type Clash = { node: number; stage: number };

type Way = readonly number[];
export type Draft = PathValue & {
  /** From the stage of the set on, by links. */
  ways: readonly Way[];
  /** The links of all of them. */
  links: readonly number[];
  bars: Bar | undefined;
  clashes: readonly Clash[];
};

/**
 * With a bar, and all those of a former draft besides. The first draft has none. Undefined where a stage cannot be
 * passed. Where a stage has ways that are equally good, it takes one that keeps clear of the others, if it sees one.
 */
export type DraftWays = (subspace: Subspace, former?: Draft, bar?: Omit<Bar, 'next'>) => Draft | undefined;

export function createDraftWays(
  terrain: Terrain,
  remainingWays: RemainingWays,
  stageSearch: StageSearch,
): DraftWays {
  const { topology, stages, first, second, bandwidths, isWidestFirst } = terrain;
  const stageOf = new Int32Array(topology.nodes.length);

  return (subspace, former, added) => {
    const bar = added && { ...added, next: former?.bars };
    const width = isWidestFirst ? (former ?? subspace.bound).width : Number.NEGATIVE_INFINITY;
    const ways = findWays(subspace, bar, width, former);
    if (ways !== undefined) return describe(subspace, ways, bar);
    if (!isWidestFirst) return undefined;
    const narrower = findWidth(subspace, bar);
    if (narrower === Number.NEGATIVE_INFINITY) return undefined;
    const narrowerWays = findWays(subspace, bar, narrower, undefined);
    return narrowerWays && describe(subspace, narrowerWays, bar);
  };

  /** Over links of this width. Of the former draft, all ways stay that the last bar is not about. */
  function findWays(
    subspace: Subspace,
    bar: Bar | undefined,
    width: number,
    former: Draft | undefined,
  ): Way[] | undefined {
    const ways: Way[] = [];
    for (let stage = subspace.stage; stage < stages.length; stage += 1) {
      const known = former?.ways[stage - subspace.stage];
      const forced = stages[stage]?.forced;
      if (known !== undefined && bar !== undefined && !concerns(bar, stage)) {
        ways.push(known);
      } else if (forced !== undefined) {
        if ((bandwidths[forced] as number) < width) return undefined;
        ways.push([forced]);
      } else {
        const others = [...ways, ...(former?.ways.slice(ways.length + 1) ?? [])];
        const remaining = remainingWays.sums(stage, width);
        const way = findWay(subspace, bar, { stage, width, remaining }, others);
        if (way === undefined) return undefined;
        ways.push(way);
      }
    }
    return ways;
  }

  function findWay(
    subspace: Subspace,
    bar: Bar | undefined,
    { stage, width, remaining }: Pick<StageQuery, 'stage' | 'width' | 'remaining'>,
    others: readonly Way[],
  ): Way | undefined {
    const query = { ...enter(subspace, bar, stage), width, remaining };
    const way = stageSearch.find(query);
    if (way === undefined || others.length === 0) return way;
    const passed = new Set(others.flatMap(innerNodes));
    if (!innerNodes(way).some((node) => passed.has(node))) return way;
    for (const node of passed) stageSearch.bar(node);
    const around = stageSearch.find(query);
    const isAsGood =
      around !== undefined && [first, second].every((sums) => sumOf(sums, around) === sumOf(sums, way));
    return isAsGood ? around : way;
  }

  /** The widest that all stages can be passed with. */
  function findWidth(subspace: Subspace, bar: Bar | undefined): number {
    let { width } = subspace.prefix;
    for (let stage = subspace.stage; stage < stages.length; stage += 1) {
      const forced = stages[stage]?.forced;
      const ofStage =
        forced === undefined
          ? stageSearch.findWidth(enter(subspace, bar, stage))
          : (bandwidths[forced] as number);
      width = Math.min(width, ofStage);
    }
    return width;
  }

  /** Bars the nodes that are passed already, and those that the bars keep out of the stage. */
  function enter(
    { path, length, stage: firstStage, barredLinks }: Subspace,
    last: Bar | undefined,
    stage: number,
  ): Pick<StageQuery, 'stage' | 'start' | 'barredLinks'> {
    let node = stages[firstStage]?.from ?? 0;
    stageSearch.unbar();
    for (let place = 0; place < length; place += 1) {
      const link = path[place] as number;
      stageSearch.bar(topology.from[link] as number);
      node = topology.to[link] as number;
    }
    for (let bar = last; bar !== undefined; bar = bar.next) {
      if (concerns(bar, stage)) stageSearch.bar(bar.node);
    }
    if (stage === firstStage) return { stage, start: node, barredLinks };
    stageSearch.bar(node);
    return { stage, start: stages[stage]?.from ?? 0, barredLinks: [] };
  }

  function describe(subspace: Subspace, ways: readonly Way[], bars: Bar | undefined): Draft {
    const links = ways.flat();
    const value = { ...subspace.prefix };
    for (const link of links) {
      value.first += first[link] as number;
      value.second += second[link] as number;
      value.width = Math.min(value.width, bandwidths[link] as number);
    }
    return { ...value, ways, links, bars, clashes: ways.length === 1 ? [] : findClashes(subspace, ways) };
  }

  function findClashes({ stage }: Subspace, ways: readonly Way[]): Clash[] {
    const clashes: Clash[] = [];
    stageOf.fill(-1);
    for (const [index, way] of ways.entries()) {
      for (const node of innerNodes(way)) {
        const other = stageOf[node] as number;
        if (other !== -1) clashes.push({ node, stage: other });
        else stageOf[node] = stage + index;
      }
    }
    return clashes;
  }

  function innerNodes(way: Way): number[] {
    return way.slice(0, -1).map((link) => topology.to[link] as number);
  }
}

function concerns({ stage, isElsewhere }: Bar, other: number): boolean {
  return isElsewhere ? other !== stage : other === stage;
}

function sumOf(values: Float64Array, links: Way): number {
  return links.reduce((sum, link) => sum + (values[link] as number), 0);
}
