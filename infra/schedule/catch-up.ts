// Turns that follow each other while there is more to plan, several at once when there is much of it.
import { throwAny } from '../try-all.ts';
import type { TurnSize } from './turn-size.ts';

/**
 * Takes a turn, and after a full one further ones until one of them is not full or fails, or the signal is aborted;
 * `turnsAtOnce` of them at once: while one is planned here, Postgres writes what another has planned. Where a turn was
 * cut lately, and locks fewer tasks than `maxTurnTasks`, one is taken and no more: each holds as much as it may. Rejects
 * when one failed and those beside it have ended. `hasMore`: there may be more to plan.
 */
export async function catchUp(
  takeTurn: () => Promise<TurnSize>,
  options: { turnsAtOnce: number; maxTurnTasks: number; signal: AbortSignal },
): Promise<{ hasMore: boolean }> {
  const { turnsAtOnce, maxTurnTasks, signal } = options;
  const hasManySmall = ({ isFull, nextLimit }: TurnSize) => isFull && nextLimit === maxTurnTasks;
  const first = await takeTurn();
  if (!hasManySmall(first)) return { hasMore: first.isFull };

  // All end together: a lane alone would go on for as long as its own turns are full, slower than tasks become due.
  let isOver = false;
  async function runLane(): Promise<boolean> {
    try {
      while (!isOver && !signal.aborted) {
        const turn = await takeTurn();
        if (!hasManySmall(turn)) return turn.isFull;
      }
      return true;
    } finally {
      isOver = true;
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: turnsAtOnce }, runLane));
  throwAny(
    ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : [])),
    'turns failed',
  );
  return { hasMore: ends.some((end) => end.status === 'fulfilled' && end.value) };
}
