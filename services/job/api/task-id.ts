// Jobs by the ids that callers have.
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { jobIdSchema } from '../../../contracts/job.ts';

/** As the database has it. Throws `NOT_FOUND` for what no job has. */
export function readTaskId(given: string): string {
  const taskId = jobIdSchema.safeParse(given);
  if (!taskId.success) throw jobNotFound();
  return taskId.data;
}

export function jobNotFound(): ProbeTaskError {
  return new ProbeTaskError('NOT_FOUND', 'there is no such task');
}
