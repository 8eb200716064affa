// How many tasks a turn locks: fewer after one that had to be cut, and then more again.

export type TurnSize = {
  /** More tasks may be due than this turn took. */
  isFull: boolean;
  /** Tasks that the next turn had better lock: no more than it can plan. */
  nextLimit: number;
};

/** Of a turn that might lock `limit` tasks, locked so many, and took `taken` of them; `maxTasks` is what any may lock. */
export function measureTurn(turn: {
  limit: number;
  locked: number;
  taken: number;
  maxTasks: number;
}): TurnSize {
  const { limit, locked, taken, maxTasks } = turn;
  const isCut = taken < locked;
  return {
    isFull: isCut || locked === limit,
    nextLimit: isCut ? Math.max(1, taken) : Math.min(maxTasks, 2 * limit),
  };
}
