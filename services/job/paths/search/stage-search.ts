// The best way through one stage around nodes and links that are barred.
import { findWidths } from './find-widths.ts';
import { createFollowBound, findBound } from './follow-bound.ts';
import { type Remaining, stageOf, type Terrain } from './remaining-ways.ts';
import { createSearchAround } from './search-around.ts';

export type StageQuery = {
  /** By its place among the stages. */
  stage: number;
  /** Its first node, or one on the way. */
  start: number;
  /** Links by which the way must not leave the first node. */
  barredLinks: readonly number[];
  /** Over links of at least this bandwidth. */
  width: number;
  /** What is left to the end over links of this width when nothing is barred. */
  remaining: Remaining;
};

export type StageSearch = {
  /** From now on, no node is barred. */
  unbar(): void;
  bar(node: number): void;
  /** Of all best ways that with the least link where they part; undefined where there is none. */
  find(query: StageQuery): number[] | undefined;
  /** How wide the widest way is; -Infinity where there is none. */
  findWidth(query: Omit<StageQuery, 'width' | 'remaining'>): number;
  /** How many nodes were looked at in all. */
  steps(): number;
};

export function createStageSearch(terrain: Terrain): StageSearch {
  const { topology, bandwidths } = terrain;
  const { from, to } = topology;
  const spent = { steps: 0 };
  const followBound = createFollowBound(terrain, spent);
  const searchAround = createSearchAround(terrain, spent);
  // A node is barred where its mark equals the number of the barring: so the array is never cleared.
  const barredMark = new Int32Array(topology.nodes.length);
  let barring = 1;

  return {
    unbar() {
      barring += 1;
    },
    bar(node) {
      barredMark[node] = barring;
    },
    find(query) {
      const { stage, start, remaining } = query;
      const plan = stageOf(terrain, stage);
      const isBarredLink = createBarredLinks(query.barredLinks);
      const isOpen = (link: number): boolean =>
        plan.isUsable[link] === 1 &&
        (bandwidths[link] as number) >= query.width &&
        barredMark[to[link] as number] !== barring &&
        !(from[link] === start && isBarredLink(link));
      const search = { start, end: plan.to, remaining, isOpen };
      const bound = findBound(terrain, search);
      return bound && (followBound(search, bound) ?? searchAround(search));
    },
    findWidth({ stage, start, barredLinks }) {
      const isBarredLink = createBarredLinks(barredLinks);
      const isOpen = (link: number): boolean =>
        barredMark[to[link] as number] !== barring && !(from[link] === start && isBarredLink(link));
      spent.steps += topology.nodes.length;
      return findWidths({ topology, bandwidths, stage: stageOf(terrain, stage), isOpen, start })[
        start
      ] as number;
    },
    steps: () => spent.steps,
  };
}

function createBarredLinks(links: readonly number[]): (link: number) => boolean {
  if (links.length < 8) return (link) => links.includes(link);
  const barred = new Set(links);
  return (link) => barred.has(link);
}
