// Calls callbacks at once, outside of their schedule.
import { sql } from 'kysely';
import { type CrontabItemResult, crontabRunTypes } from '../../../contracts/crontab.ts';
import type { Database } from '../../../infra/database/database.ts';
import { formatNumbers } from '../../../infra/database/statement-values.ts';
import { changeNamedTasks } from './change-named-tasks.ts';

/** Even where a time that is late is not worth much: somebody asked for this one. */
const minTermS = 60;

/** One run of each task, disabled ones too; two requests in the same millisecond make one. */
export function runTasksAgain(list: readonly unknown[], database: Database): Promise<CrontabItemResult[]> {
  return changeNamedTasks(list, database, async ({ db, tasks }) => {
    const taskIds = tasks.map(({ task_id: taskId }) => taskId);
    await sql`
      insert into crontab_run (task_id, scheduled_at, run_type, target, due_at, expires_at)
      select task_id, asked_at, ${crontabRunTypes.rerun}, target, asked_at,
        asked_at + greatest(misfire_window, ${minTermS}::integer) * interval '1 s'
      from crontab_task, date_trunc('milliseconds', clock_timestamp()) asked_at
      where task_id = any (${formatNumbers(taskIds)}::bigint[])
      on conflict (task_id, scheduled_at, run_type) do nothing`.execute(db);
    return new Map();
  });
}
