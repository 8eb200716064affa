// How much a replica claims, and of which targets nothing more. Pure.

const maxClaimed = 500;
/** Of a target of which this share of the room is held nothing more is claimed: others find some though it is silent. */
const targetShare = 0.5;
/** All that is claimed at once may be of one target. */
const claimShare = 0.25;

export type ClaimRoom = {
  /** Runs to claim; 0 when there is no room. */
  limit: number;
  /** Targets of which nothing more is claimed. */
  crowded: string[];
};

/**
 * Of so many runs that are held, by target, while `concurrency` may be. Crowded targets share what is theirs: each counts
 * by the room that the larger ones leave, so that several silent ones do not take it all.
 */
export function planClaim(heldByTarget: ReadonlyMap<string, number>, concurrency: number): ClaimRoom {
  const counts = [...heldByTarget].toSorted(([, one], [, other]) => other - one);
  const crowded: string[] = [];
  let room = concurrency;
  for (const [target, count] of counts) {
    if (count < room * targetShare) break;
    crowded.push(target);
    room -= count;
  }
  const free = concurrency - counts.reduce((sum, [, count]) => sum + count, 0);
  const atOnce = Math.min(Math.max(1, Math.floor(room * claimShare)), maxClaimed);
  return { limit: Math.max(0, Math.min(free, atOnce)), crowded };
}
