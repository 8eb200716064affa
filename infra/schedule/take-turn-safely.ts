// A turn takes many tasks in one transaction; one that nobody foresaw must not keep the others from being planned.
import { isolateFault } from './isolate-fault.ts';

/** Which tasks a turn takes: `among` these only, where it is given. `onLocked` is to be told which it got. */
export type TurnChoice = { among: string[] | undefined; onLocked: (taskIds: string[]) => void };

/**
 * Attempts a turn. When that fails, the tasks that it had locked are taken apart in further turns until those at fault are
 * alone; each of these is given up, and the others are planned. `join` says what those turns are together: more may be due
 * than they took. Throws what is no fault of a task, such as `UNAVAILABLE`.
 */
export async function takeTurnSafely<Turn>(options: {
  /** All or nothing: one transaction. */
  attempt: (choice: TurnChoice) => Promise<Turn>;
  /** Tells of a task and puts it off. */
  giveUp: (taskId: string, fault: unknown) => Promise<void>;
  join: (turns: Turn[]) => Turn;
}): Promise<Turn> {
  const { attempt, giveUp, join } = options;
  let locked: string[] = [];
  function onLocked(taskIds: string[]): void {
    locked = taskIds;
  }
  try {
    return await attempt({ among: undefined, onLocked });
  } catch (error) {
    const work = (among: string[]) => attempt({ among, onLocked });
    return join(await isolateFault(locked, error, { work, giveUp }));
  }
}
