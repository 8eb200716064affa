// Lists jobs, the newest first.
import { type RawBuilder, sql } from 'kysely';
import { z } from 'zod';
import type { JobState, JobType } from '../../../contracts/job.ts';
import type { JobEntry, JobListRequest } from '../../../contracts/job-api.ts';
import type { Database } from '../../../infra/database/database.ts';
import { limitStatements } from '../../../infra/database/limit-statements.ts';
import { decodeCursor, encodeCursor } from '../../../infra/database/page-cursor.ts';

type Row = {
  id: string;
  taskId: string;
  type: JobType;
  state: JobState;
  info: string | null;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
};

const positionSchema = z.tuple([z.string().regex(/^[1-9]\d{0,17}$/)]);

/** Of those that match all that is given. Throws `INVALID_REQUEST` for a cursor that is none. */
export function listJobs(
  request: JobListRequest,
  database: Database,
): Promise<{ jobs: JobEntry[]; next_cursor: string | null }> {
  const select = selectJobs(request);
  return database.transact(async (db) => {
    await limitStatements(db);
    const { rows } = await select.execute(db);
    const page = rows.slice(0, request.limit);
    const last = page.at(-1);
    const hasMore = rows.length > page.length;
    return {
      jobs: page.map(formatJob),
      next_cursor: hasMore && last !== undefined ? encodeCursor([last.id]) : null,
    };
  });
}

function selectJobs({ type, state, limit, cursor }: JobListRequest): RawBuilder<Row> {
  const [before] = decodeCursor(cursor, positionSchema) ?? [];
  const isPending = state === 'PENDING';
  const id = isPending ? sql`run.id` : sql`job.id`;
  const conditions: RawBuilder<unknown>[] = [sql`true`];
  if (before !== undefined) conditions.push(sql`${id} < ${before}`);
  if (type !== undefined) conditions.push(sql`job.type = ${type}`);
  // In the words of the index of those that failed.
  if (state !== undefined) conditions.push(sql`job.state = ${sql.lit(state)}`);
  return sql`
    select job.id, task_id as "taskId", type, job.state, info,
      created_at as "createdAt", started_at as "startedAt", ended_at as "endedAt"
    from ${isPending ? pendingJobs : sql`job_task job`}
    where ${sql.join(conditions, sql` and `)} order by ${id} desc limit ${limit + 1}`;
}

/** Those that have a run, among however many that have ended. "offset 0": each is looked up, in the order of the runs. */
const pendingJobs = sql`
  job_run run cross join lateral (select * from job_task where job_task.id = run.id offset 0) job`;

function formatJob({ taskId, type, state, info, createdAt, startedAt, endedAt }: Row): JobEntry {
  return {
    task_id: taskId,
    type,
    task_state: state,
    info: info ?? [],
    created_at: createdAt.toISOString(),
    started_at: startedAt?.toISOString() ?? null,
    ended_at: endedAt?.toISOString() ?? null,
  };
}
