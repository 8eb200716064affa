// The calls that are under way, as entries of the log.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { type CrontabLogEntry, crontabRunTypes, crontabStatuses } from '../../../contracts/crontab.ts';
import { formatNumbers } from '../../../infra/database/statement-values.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { messageIdOf } from '../run/run-store.ts';
import type { LogFilter } from './log-query.ts';
import { formatMoment } from './moment-text.ts';

type Call = {
  id: string;
  task_id: string;
  scheduled_at: Date;
  due_at: Date;
  try: number;
  run_type: number;
  name: string | null;
  method: string | null;
  url: string | null;
  body: string | null;
};

/** The newest of them first, of the tasks as they are now. */
export async function readCalls(
  db: Kysely<Tables>,
  filter: LogFilter,
  limit: number,
): Promise<CrontabLogEntry[]> {
  const { status, run_type, from, to, taskIds } = filter;
  if (status != null && status !== crontabStatuses.running) return [];
  const runType = sql`case when run.try + run.lapses > 0 then ${sql.lit(crontabRunTypes.retry)} else run.run_type end`;
  const conditions: RawBuilder<unknown>[] = [sql`run.state = 1 and run.due_at <= now()`];
  if (taskIds !== undefined) conditions.push(sql`run.task_id = any (${formatNumbers(taskIds)}::bigint[])`);
  if (run_type != null) conditions.push(sql`${runType} = ${run_type}`);
  if (from != null) conditions.push(sql`run.scheduled_at >= ${from}`);
  if (to != null) conditions.push(sql`run.scheduled_at < ${to}`);
  const { rows } = await sql<Call>`
    select run.id, run.task_id, run.scheduled_at, run.due_at, run.try, ${runType} as run_type,
      task.name, task.method, task.url, task.body
    from crontab_run run left join crontab_task task using (task_id)
    where ${sql.join(conditions, sql` and `)}
    order by run.scheduled_at desc, run.id desc limit ${limit}`.execute(db);
  return rows.map(formatCall);
}

function formatCall(call: Call): CrontabLogEntry {
  return {
    task_id: call.task_id,
    name: call.name ?? '',
    run_type: call.run_type,
    status: crontabStatuses.running,
    begin_time: formatMoment(call.due_at),
    end_time: '',
    url: call.url ?? '',
    body: call.body ?? '',
    resp: '',
    scheduled_time: formatMoment(call.scheduled_at),
    run_id: messageIdOf(call.id),
    try: call.try,
    method: call.method ?? '',
    resp_code: null,
    err: '',
    missed: 0,
  };
}
