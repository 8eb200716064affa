// How much an agent holds and claims: enough that the engine need not wait, not so much of one task that others find no room.
import { maxRunCells } from '../../../contracts/run.ts';

/** Cells in hand for every query that the engine asks at once, */
const heldCellsPerQuery = 16;
/** so many of the largest runs in any case, */
const minHeldRuns = 16;
/** and of one task: so many for every query, beyond which no more of it is claimed, */
const taskCellsPerQuery = 0.5;
/** but so many of the largest runs, so that one is asked while the next is claimed. */
const minTaskRuns = 2;
const maxBatch = 200;

export type ClaimRoom = {
  /** Nothing is claimed while that many cells are held. */
  maxCells: number;
  /** Nothing is claimed of a task of which that many are held. */
  maxTaskCells: number;
};

/** `concurrency`: queries that the engine asks at once. */
export function planClaimRoom(concurrency: number): ClaimRoom {
  return {
    maxCells: Math.max(concurrency * heldCellsPerQuery, minHeldRuns * maxRunCells),
    maxTaskCells: Math.max(concurrency * taskCellsPerQuery, minTaskRuns * maxRunCells),
  };
}

/**
 * How many runs to claim at once, 0 when there is no room. All of them may be of one task, one whose server is dead: so
 * they take about a quarter of the room, and half of it when each is as large as a run can be.
 */
export function planClaim(freeCells: number, expectedRunCells: number): number {
  if (freeCells <= 0) return 0;
  const count = Math.min(freeCells / 4 / expectedRunCells, freeCells / 2 / maxRunCells);
  return Math.min(Math.max(Math.floor(count), 1), maxBatch);
}
