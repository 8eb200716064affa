// What turns do with tasks that become due: `next_at` is when, `last_at` the newest time that was planned.
import { type Kysely, sql, type Transaction } from 'kysely';
import { formatNumbers, formatTimes, fromMs } from '../database/statement-values.ts';
import type { Tables } from '../database/tables.ts';

/** The tables that work this way. */
export type DueTable = 'probe_task' | 'crontab_task';

/** A process that is gone without a word must not hold its tasks for long. */
const idleLimit = '15s';
/** Half of what a connection may be held: when that is cut, its statement does not go on for long. */
const statementLimit = '30s';

/** To be called first in the transaction of a turn. */
export async function beginTurn(db: Transaction<Tables>): Promise<void> {
  // All that a turn seeks it seeks by keys. By statistics that are older than the runs of the last second, Postgres would
  // read the whole of a table in every turn; and only a plain scan of an index learns what it need not look at again.
  await sql`
    select set_config('idle_in_transaction_session_timeout', ${idleLimit}, true),
      set_config('statement_timeout', ${statementLimit}, true),
      set_config('enable_seqscan', 'off', true),
      set_config('enable_bitmapscan', 'off', true)`.execute(db);
}

/** `lastAt`: null where no time was planned; what was the newest one stays so. */
export type Advance = { taskId: string; nextAt: number; lastAt: number | null };

/** Sets when the tasks are due next, and which time of theirs was the newest to be planned. */
export async function advanceTasks(
  db: Transaction<Tables>,
  table: DueTable,
  advances: Advance[],
): Promise<void> {
  await sql`
    update ${sql.table(table)} task
    set next_at = ${fromMs('advance.next_at')}, last_at = coalesce(${fromMs('advance.last_at')}, task.last_at)
    from unnest(
      ${formatNumbers(advances.map(({ taskId }) => taskId))}::bigint[],
      ${formatTimes(advances.map(({ nextAt }) => nextAt))}::float8[],
      ${formatTimes(advances.map(({ lastAt }) => lastAt))}::float8[]
    ) as advance (task_id, next_at, last_at)
    where task.task_id = advance.task_id`.execute(db);
}

/** Looks at a task again after `pauseMs`, unless it was moved on meanwhile; turns take what is due within `aheadMs`. */
export async function putOff(
  db: Kysely<Tables>,
  table: DueTable,
  taskId: string,
  { pauseMs, aheadMs = 0 }: { pauseMs: number; aheadMs?: number },
): Promise<void> {
  await sql`
    update ${sql.table(table)} set next_at = now() + ${pauseMs}::float8 * interval '1 ms'
    where task_id = ${taskId} and next_at <= now() + ${aheadMs}::float8 * interval '1 ms'`.execute(db);
}
