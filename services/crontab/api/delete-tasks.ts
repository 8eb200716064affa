// Deletes tasks. Their log stays, and says what was not called any more.
import { sql } from 'kysely';
import type { CrontabItemResult } from '../../../contracts/crontab.ts';
import type { Database } from '../../../infra/database/database.ts';
import { formatNumbers } from '../../../infra/database/statement-values.ts';
import { changeNamedTasks } from './change-named-tasks.ts';
import { cancelRuns, findAllUnplanned, logUnplanned } from './uncalled-runs.ts';

const reason = 'the task was deleted';

/** Runs that wait are dropped; what is under way goes on. */
export function deleteTasks(list: readonly unknown[], database: Database): Promise<CrontabItemResult[]> {
  return changeNamedTasks(list, database, async ({ db, tasks, nowMs, pauses }) => {
    const taskIds = tasks.map(({ task_id: taskId }) => taskId);
    await logUnplanned(db, await findAllUnplanned(tasks, nowMs, pauses), reason);
    await cancelRuns(db, taskIds, reason);
    await sql`delete from crontab_task where task_id = any (${formatNumbers(taskIds)}::bigint[])`.execute(db);
    return new Map();
  });
}
