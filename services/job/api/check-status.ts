// Tells the state of a job, and its result as it is kept.
import { type RawBuilder, sql } from 'kysely';
import type { z } from 'zod';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { JobState, JobType } from '../../../contracts/job.ts';
import type { jobCalls, jobStatusRequestSchema } from '../../../contracts/job-api.ts';
import type { Database } from '../../../infra/database/database.ts';
import { EncodedJson } from '../../../infra/http/encoded-json.ts';
import type { OctetBudget } from '../../../infra/http/octet-budget.ts';
import type { HttpContext } from '../../../infra/http/register-calls.ts';
import { readerOctets, readResult } from './read-result.ts';
import { jobNotFound, readTaskId } from './task-id.ts';

type StatusRequest = z.infer<typeof jobStatusRequestSchema>;
type StatusReply = z.input<(typeof jobCalls.checkStatus)['reply']>;

type JobRow = {
  id: string;
  taskId: string;
  type: JobType;
  state: JobState;
  info: string | null;
  /** Octets of its result; null without one. */
  size: number | null;
  /** Only where it is small. */
  result: Buffer | null;
};

/** Of most results: they come with the state. */
const smallOctets = 64 * 1024;

/**
 * Throws `NOT_FOUND`; `CONFLICT` where the job is of another type; `OVERLOADED` while large results for others fill the
 * budget.
 */
export async function checkStatus(
  { task_id: taskId, type }: StatusRequest,
  context: Pick<HttpContext, 'signal' | 'logger'>,
  { database, budget }: { database: Database; budget: OctetBudget },
): Promise<StatusReply | EncodedJson> {
  const { rows } = await database.run((db) => selectJob(readTaskId(taskId)).execute(db));
  const [job] = rows;
  if (job === undefined) throw jobNotFound();
  if (job.type !== type) {
    throw new ProbeTaskError('CONFLICT', `this task is of type ${job.type}, not ${type}`, { type: job.type });
  }
  if (job.size === null) return statusReply(job);
  const { head, tail } = splitReply(job);
  if (job.result !== null) return new EncodedJson(Buffer.concat([head, job.result, tail]));
  holdBudget(job.size, budget, context);
  const parts = readResult(job.id, job.size, database);
  // What keeps it from being read at all can still be told.
  const { value: first = Buffer.alloc(0) } = await parts.next();
  return new EncodedJson({
    length: head.length + job.size + tail.length,
    parts: sendParts([head, first], parts, tail, context),
  });
}

function selectJob(taskId: string): RawBuilder<JobRow> {
  return sql`
    select id, task_id as "taskId", type, state, info, octet_length(result) as size,
      case when octet_length(result) <= ${smallOctets} then result end as result
    from job_task where task_id = ${taskId}`;
}

function statusReply({ taskId, state, info }: JobRow): StatusReply {
  const data = { task_id: taskId, task_state: state, task_status: state, info: info ?? [], data: [] };
  return { status: true, info: [], data };
}

const emptyEnd = '[]}}';
const tail = Buffer.from('}}');

/** The result takes the place of the empty list at the end. */
function splitReply(job: JobRow): { head: Buffer; tail: Buffer } {
  return { head: Buffer.from(JSON.stringify(statusReply(job)).slice(0, -emptyEnd.length)), tail };
}

/** Until the connection has no more to do with it. */
function holdBudget(size: number, budget: OctetBudget, { signal }: Pick<HttpContext, 'signal'>): void {
  const release = budget.take(readerOctets(size));
  if (release === undefined) {
    throw new ProbeTaskError('OVERLOADED', 'other results are being sent: ask again');
  }
  if (signal.aborted) release();
  else signal.addEventListener('abort', release, { once: true });
}

async function* sendParts(
  first: Buffer[],
  rest: AsyncIterable<Buffer>,
  last: Buffer,
  { logger }: Pick<HttpContext, 'logger'>,
): AsyncGenerator<Buffer> {
  try {
    yield* first;
    yield* rest;
    yield last;
  } catch (error) {
    logger.warn({ err: error }, 'a result was broken off');
    throw error;
  }
}
