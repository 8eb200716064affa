// Cancels a job: at once while it waits, else whoever works on it is told to stop.
import { setTimeout as pause } from 'node:timers/promises';
import { type RawBuilder, sql } from 'kysely';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { JobState } from '../../../contracts/job.ts';
import type { JobApiOptions } from './api-options.ts';
import { jobNotFound, readTaskId } from './task-id.ts';

const defaultStopWaitMs = 10_000;
const pollMs = 100;

export type CancelledJob = { taskId: string; state: JobState };

/**
 * Resolves when the job has ended, however it did, or after 10 seconds: it is `PENDING` then, and will be stopped. One that
 * is over stays as it is. Throws `NOT_FOUND`, and `UNAVAILABLE` when the signal comes.
 */
export async function cancelJob(
  given: string,
  { database, limits, onStopWanted }: Pick<JobApiOptions, 'database' | 'limits' | 'onStopWanted'>,
  signal: AbortSignal,
): Promise<CancelledJob> {
  const deadline = performance.now() + (limits.stopWaitMs ?? defaultStopWaitMs);
  const taskId = readTaskId(given);
  for (;;) {
    const { rows } = await database.run((db) => stop(taskId).execute(db));
    const [job] = rows;
    if (job === undefined) throw jobNotFound();
    if (job.isMarked) onStopWanted(job.id);
    if (job.state !== 'PENDING' || performance.now() + pollMs > deadline) return { taskId, state: job.state };
    await pause(pollMs, undefined, { signal }).catch(() => {
      throw new ProbeTaskError('UNAVAILABLE', 'the service is being stopped; the task will be, too');
    });
  }
}

/**
 * Ends what nobody works on, marks what somebody does. A job changes hands between one look at it and the next: neither is
 * done then, and the next one finds it. By its key alone: statistics of such a table are no guide for the planner.
 */
function stop(taskId: string): RawBuilder<{ id: string; state: JobState; isMarked: boolean }> {
  return sql`
    with job as materialized (select id, state from job_task where task_id = ${taskId}),
    dropped as (
      delete from job_run where id = (select id from job) and state = 0 returning id),
    ended as (
      update job_task set state = 'FAILURE', info = 'cancelled', request = null, ended_at = now()
      where id = (select id from dropped) and state = 'PENDING'
      returning state),
    marked as (
      update job_run set is_stop_wanted = true
      where id = (select id from job) and lease_until is not null and not is_stop_wanted
      returning id)
    select id, coalesce((select state from ended), state) as state, exists (select from marked) as "isMarked"
    from job`;
}
