// The turns of the scheduler: due tasks → slots and runs. A newcomer reads this file first, then take-turn.ts.
import type { Database } from '../../infra/database/database.ts';
import type { Logger } from '../../infra/logger.ts';
import { putOff } from '../../infra/schedule/due-tasks.ts';
import { takeTurnSafely } from '../../infra/schedule/take-turn-safely.ts';
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
  return takeTurnSafely({
    attempt: (choice) => database.transact((db) => takeTurn(db, { limit, ...choice }, turnOptions, logger)),
    async giveUp(taskId, fault) {
      logger.error({ err: fault, task: taskId }, 'a task cannot be scheduled');
      await database.run((db) => putOff(db, 'probe_task', taskId, { pauseMs: faultPauseMs }));
    },
    join: (turns) => ({
      slots: turns.flatMap(({ slots }) => slots),
      nowMs: Math.max(0, ...turns.map(({ nowMs }) => nowMs)),
      isFull: true,
      nextLimit: limit,
    }),
  });
}
