// Times at which nothing was called: the log says why.
import { type RawBuilder, sql, type Transaction } from 'kysely';
import { crontabRunTypes } from '../../../contracts/crontab.ts';
import { formatNumbers, formatTimes, fromMs } from '../../../infra/database/statement-values.ts';
import type { Tables } from '../../../infra/database/tables.ts';

export type UncalledTimes = {
  taskId: string;
  /** `crontabStatuses.skipped` or `missed`. */
  status: number;
  /** The first and the last of them. */
  firstAt: number;
  lastAt: number;
  count: number;
  err: string;
};

/** To be called while the tasks are there. */
export async function logUncalled(
  db: Transaction<Tables>,
  uncalled: readonly UncalledTimes[],
): Promise<void> {
  if (uncalled.length === 0) return;
  await sql`
    insert into crontab_log (scheduled_at, run_id, try, task_id, name, run_type, status, begin_at, end_at, method, url,
      body, resp, err, missed)
    select ${fromMs('first_at')}, ${nextRunId}, 0, task_id, name, ${crontabRunTypes.normal}, status,
      ${fromMs('first_at')}, ${fromMs('until_at')}, method, url, '', '', err, missed
    from unnest(
      ${formatNumbers(uncalled.map(({ taskId }) => taskId))}::bigint[],
      ${formatNumbers(uncalled.map(({ status }) => status))}::smallint[],
      ${formatTimes(uncalled.map(({ firstAt }) => firstAt))}::float8[],
      ${formatTimes(uncalled.map(({ lastAt }) => lastAt))}::float8[],
      ${formatNumbers(uncalled.map(({ count }) => count))}::integer[],
      ${uncalled.map(({ err }) => err)}::text[]
    ) as uncalled (task_id, status, first_at, until_at, missed, err)
    join crontab_task using (task_id)`.execute(db);
}

/** An id that no run has. */
const nextRunId: RawBuilder<string> = sql`nextval(pg_get_serial_sequence('crontab_run', 'id'))`;
