// Turns that follow each other while there is more to plan, several at once when there is much of it.
import { maxTurnTasks, type Turn } from './take-turn.ts';

/**
 * Takes a turn, and after a full one further ones until nothing is left or the signal is aborted, `turnsAtOnce` of them
 * at once: while one is planned here, Postgres writes what another has planned. Where a turn was cut lately they go one
 * at a time: each holds as much as it may. Rejects when one failed and those beside it have ended. `hasMore`: there is
 * more to plan.
 */
export async function catchUp(
  takeTurn: () => Promise<Turn>,
  { turnsAtOnce, signal }: { turnsAtOnce: number; signal: AbortSignal },
): Promise<{ hasMore: boolean }> {
  const first = await takeTurn();
  if (!hasManySmall(first)) return { hasMore: first.isFull };

  async function runLane(): Promise<boolean> {
    for (;;) {
      if (signal.aborted) return true;
      const turn = await takeTurn();
      if (!hasManySmall(turn)) return turn.isFull;
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: turnsAtOnce }, runLane));
  const fault = ends.find((end) => end.status === 'rejected');
  if (fault !== undefined) throw fault.reason;
  return { hasMore: ends.some((end) => end.status === 'fulfilled' && end.value) };
}

function hasManySmall({ isFull, nextLimit }: Turn): boolean {
  return isFull && nextLimit === maxTurnTasks;
}
