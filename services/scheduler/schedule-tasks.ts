// The turns of the scheduler: due tasks → slots and runs. A newcomer reads this file first, then take-turn.ts.
import type { Database } from '../../infra/database/database.ts';
import type { Logger } from '../../infra/logger.ts';
import { isolateFault } from './isolate-fault.ts';
import { putOff } from './schedule-store.ts';
import { faultPauseMs, maxTurnTasks, type Turn, type TurnOptions, takeTurn } from './take-turn.ts';

/**
 * Takes one turn in one transaction. When that fails for the sake of a task that nobody foresaw, the tasks that it had
 * locked are taken apart until it is alone; it is told in the log and put off for a minute, and the others are planned.
 * Any number of schedulers may do so at once: each takes tasks that no other has locked. `limit`: of the tasks locked.
 */
export async function scheduleTasks(
  database: Database,
  options: TurnOptions & { limit?: number },
  logger: Logger,
): Promise<Turn> {
  const { limit = maxTurnTasks, ...turnOptions } = options;
  let locked: string[] = [];
  function onLocked(taskIds: string[]): void {
    locked = taskIds;
  }
  function attempt(among?: string[]): Promise<Turn> {
    return database.transact((db) => takeTurn(db, { limit, among, onLocked }, turnOptions, logger));
  }
  try {
    return await attempt();
  } catch (error) {
    const turns = await isolateFault(locked, error, {
      work: attempt,
      async giveUp(taskId, fault) {
        logger.error({ err: fault, task: taskId }, 'a task cannot be scheduled');
        await database.run((db) => putOff(db, taskId, faultPauseMs));
      },
    });
    const nowMs = Math.max(0, ...turns.map((turn) => turn.nowMs));
    return { slots: turns.flatMap(({ slots }) => slots), nowMs, isFull: true, nextLimit: limit };
  }
}
