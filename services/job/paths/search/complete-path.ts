// The best path of a set: ways for its stages that have no node in common.
import type { Draft, DraftWays, Subspace } from './draft-ways.ts';
import { createOrderedQueue } from './ordered-queue.ts';
import { compareLinks, compareValues, type PathValue } from './path-order.ts';
import { SearchTooHardError } from './search-too-hard-error.ts';

export type Completion = PathValue & {
  links: readonly number[];
  /** By stage: the place in `links` where it begins. */
  stageStarts: readonly number[];
};

/** Nodes that are looked at because stages get in each other's way: about a second, with hundreds of stages some more. */
const maxSteps = 2_000_000;

/** Undefined where the set is empty. Throws SearchTooHardError when its stages cannot be kept apart within `maxSteps`. */
export type CompletePath = (subspace: Subspace) => Completion | undefined;

/** `countSteps`: nodes that drafts have looked at so far. */
export function createCompletePath(
  isWidestFirst: boolean,
  draftWays: DraftWays,
  countSteps: () => number,
): CompletePath {
  let steps = 0;

  return (subspace) => {
    const first = draftWays(subspace);
    const draft = first && settle(subspace, first);
    if (draft === undefined) return undefined;
    const { width, first: firstSum, second, ways, links } = draft;
    const stageStarts = subspace.stageStarts.slice(0, subspace.stage + 1);
    let place = subspace.length;
    for (const way of ways.slice(0, -1)) {
      place += way.length;
      stageStarts.push(place);
    }
    const path = [...subspace.path.slice(0, subspace.length), ...links];
    return { width, first: firstSum, second, links: path, stageStarts };
  };

  /**
   * Branch and bound: where two stages pass the same node, either the first of them does not, or no other one does.
   * No path that keeps to the bars of a draft is better than it, so the first one without a clash is the best path.
   */
  function settle(subspace: Subspace, best: Draft): Draft | undefined {
    const queue = createOrderedQueue<Draft>(
      (one, other) =>
        compareValues(one, other, isWidestFirst) ||
        one.clashes.length - other.clashes.length ||
        compareLinks(one.links, other.links),
    );
    for (let draft: Draft | undefined = best; draft !== undefined; draft = queue.pop()) {
      if (draft.clashes.length === 0) return draft;
      const before = countSteps();
      for (const branch of branchOff(subspace, draft)) queue.push(branch);
      steps += countSteps() - before + draft.links.length;
      if (steps > maxSteps) {
        throw new SearchTooHardError('the paths over these waypoints are too many to be looked at');
      }
    }
    return undefined;
  }

  /** At that clash, of a few, which leaves the least to be looked at. */
  function branchOff(subspace: Subspace, draft: Draft): readonly Draft[] {
    const { clashes } = draft;
    let best: readonly Draft[] | undefined;
    for (const place of new Set([0, clashes.length >> 1, clashes.length - 1])) {
      const clash = clashes[place];
      if (clash === undefined) continue;
      const branches = [false, true]
        .flatMap((isElsewhere) => draftWays(subspace, draft, { ...clash, isElsewhere }) ?? [])
        .sort((one, other) => compareValues(one, other, isWidestFirst));
      if (best === undefined || compareBranches(branches, best) < 0) best = branches;
      if (best.length === 0) break;
    }
    return best ?? [];
  }

  /** The fewer, then the worse: of those no path has to be looked at until better ones are used up. */
  function compareBranches(ones: readonly Draft[], others: readonly Draft[]): number {
    if (ones.length !== others.length) return ones.length - others.length;
    for (const [index, one] of ones.entries()) {
      const other = others[index];
      const difference = other === undefined ? 0 : compareValues(other, one, isWidestFirst);
      if (difference !== 0) return difference;
    }
    return 0;
  }
}
