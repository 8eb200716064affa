// The turns of a replica: due tasks → runs. A newcomer reads this file first, then take-turn.ts and held-calls.ts.
import type { Database } from '../../../infra/database/database.ts';
import type { Logger } from '../../../infra/logger.ts';
import { putOff } from '../../../infra/schedule/due-tasks.ts';
import { takeTurnSafely } from '../../../infra/schedule/take-turn-safely.ts';
import { aheadMs, faultPauseMs, maxTurnTasks, type Turn, takeTurn } from './take-turn.ts';

/**
 * Takes one turn in one transaction. When that fails for the sake of one task, that one is told in the log and put off
 * for a minute, and the others are planned.
 */
export async function scheduleTasks(
  database: Database,
  { limit = maxTurnTasks }: { limit?: number },
  logger: Logger,
): Promise<Turn> {
  return takeTurnSafely({
    attempt: (choice) => database.transact((db) => takeTurn(db, { limit, ...choice }, logger)),
    async giveUp(taskId, fault) {
      logger.error({ err: fault, task: taskId }, 'a task cannot be scheduled');
      await database.run((db) => putOff(db, 'crontab_task', taskId, { pauseMs: faultPauseMs, aheadMs }));
    },
    join: (turns) => ({
      planned: turns.flatMap(({ planned }) => planned),
      isFull: true,
      nextLimit: limit,
    }),
  });
}
