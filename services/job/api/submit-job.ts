// Stores a job to be run; a submission that is repeated is the same job.
import { createHash } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { faultsOf, invalidRequest, ProbeTaskError } from '../../../contracts/errors.ts';
import { idempotencyKeySchema, type JobType } from '../../../contracts/job.ts';
import { idempotencyKeyHeader, type SubmittedAs } from '../../../contracts/job-api.ts';
import type { Database } from '../../../infra/database/database.ts';
import type { JobLane } from '../../../infra/database/tables.ts';
import type { HttpContext } from '../../../infra/http/register-calls.ts';
import type { JobApiOptions } from './api-options.ts';

export type SubmittedJob = { taskId: string; type: JobType };

type NewJob = { type: JobType; key: string | null; hash: Buffer; request: Buffer; queueTimeoutMs: number };

/** The job of a key may be cleared away between two looks at it. */
const maxTries = 3;
/** What octets that are no UTF-8 are read as: keys that differ may look the same. */
const replacement = '\uFFFD';

/**
 * Resolves with the id that callers ask by. Throws what `checkRequest` found, `INVALID_REQUEST` for keys that are none or
 * contradict each other, and `CONFLICT` where the key belongs to another request.
 */
export async function submitJob(
  submittedAs: SubmittedAs,
  given: Uint8Array,
  context: Pick<HttpContext, 'header'>,
  { database, checkRequest, onJobAdded, limits }: JobApiOptions,
): Promise<SubmittedJob> {
  const headerKey = readHeaderKey(context);
  const checked = await checkRequest(submittedAs, given);
  if (!checked.ok) throw checked.error;
  const { type } = checked;
  const key = chooseKey(headerKey, checked.idempotencyKey);
  const octets = Buffer.from(given.buffer, given.byteOffset, given.length);
  const hash = createHash('sha256').update(type).update('\0').update(octets).digest();
  const request = checked.request === undefined ? octets : Buffer.from(checked.request);
  const job = { type, key, hash, request, queueTimeoutMs: limits.queueTimeoutMs };
  const { taskId, isNew } = await storeJob(job, database);
  if (isNew) onJobAdded(laneOf(type));
  return { taskId, type };
}

/** Who works on it. */
export function laneOf(type: JobType): JobLane {
  return type === 'dns_result' ? 1 : 0;
}

function readHeaderKey({ header }: Pick<HttpContext, 'header'>): string | undefined {
  const given = header(idempotencyKeyHeader);
  if (given === undefined) return undefined;
  if (given.includes(replacement)) {
    throw invalidRequest([{ path: 'Idempotency-Key', reason: 'is not UTF-8' }]);
  }
  const key = idempotencyKeySchema.safeParse(given);
  if (key.success) return key.data;
  throw invalidRequest(faultsOf(key.error).map(({ reason }) => ({ path: 'Idempotency-Key', reason })));
}

function chooseKey(headerKey: string | undefined, bodyKey: string | undefined): string | null {
  if (headerKey !== undefined && bodyKey !== undefined && headerKey !== bodyKey) {
    throw invalidRequest([
      { path: 'idempotency_key', reason: 'says something else than the header Idempotency-Key' },
    ]);
  }
  return headerKey ?? bodyKey ?? null;
}

async function storeJob(job: NewJob, database: Database): Promise<{ taskId: string; isNew: boolean }> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    const { rows: added } = await database.run((db) => insertJob(job).execute(db));
    if (added[0] !== undefined) return { taskId: added[0].taskId, isNew: true };
    const { rows: found } = await database.run((db) => findByKey(job).execute(db));
    if (found[0] === undefined) continue;
    const { taskId, isSame } = found[0];
    if (isSame) return { taskId, isNew: false };
    throw new ProbeTaskError('CONFLICT', 'another request has this idempotency key', { task_id: taskId });
  }
  throw new ProbeTaskError('UNAVAILABLE', 'the task of this idempotency key is just being cleared away');
}

/** No row comes back where the key is taken: whoever takes it at the same moment is waited for. */
function insertJob({ type, key, hash, request, queueTimeoutMs }: NewJob): RawBuilder<{ taskId: string }> {
  return sql`
    with job as (
      insert into job_task (type, idempotency_key, request_hash, request)
      values (${type}, ${key}, ${hash}, ${request})
      on conflict (idempotency_key) do nothing
      returning id, task_id),
    run as (
      insert into job_run (id, lane, expires_at)
      select id, ${laneOf(type)}::smallint, now() + ${queueTimeoutMs}::float8 * interval '1 ms' from job)
    select task_id as "taskId" from job`;
}

function findByKey({ key, hash }: NewJob): RawBuilder<{ taskId: string; isSame: boolean }> {
  return sql`
    select task_id as "taskId", request_hash = ${hash} as "isSame"
    from job_task where idempotency_key = ${key}`;
}
