// A database for the tests of one file, with jobs; emptied before each test.
import { createHash } from 'node:crypto';
import { type RawBuilder, type Selectable, sql } from 'kysely';
import type { JobState, JobType } from '../../../contracts/job.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { useTestTables } from '../../helpers/test-tables.ts';

export type JobRow = {
  type?: JobType;
  state?: JobState;
  /** What was submitted: octets as they are, anything else as JSON. */
  request?: unknown;
  result?: unknown;
  info?: string;
  idempotencyKey?: string;
  /** Milliseconds from now, by the clock of the database; that of a job that has ended. */
  endedIn?: number;
  /** The same, of a job that has not. */
  expiresIn?: number;
  dueIn?: number;
  /** A lease that somebody has, for so many milliseconds from now on. */
  leasedFor?: number;
  claimedBy?: string;
  lapses?: number;
  isStopWanted?: boolean;
};

export type StoredJob = Selectable<Tables['job_task']>;
export type StoredJobRun = Selectable<Tables['job_run']>;

/** To be called at the top of a test file. */
export function useJobTables() {
  const tables = useTestTables([sql`truncate job_task, job_run`], { maxConnections: 6 });
  const { query, one } = tables;

  return Object.assign(tables, {
    /** A job that waits, unless its state says that it has ended. Resolves with both of its ids. */
    async addJob(row: JobRow = {}): Promise<{ id: string; taskId: string }> {
      const { type = 'bod_pasta', state = 'PENDING', request = {}, idempotencyKey = null, info = null } = row;
      const octets = asOctets(request);
      const hash = createHash('sha256').update(type).update(octets).digest();
      const result = row.result === undefined ? null : asOctets(row.result);
      const isOver = state !== 'PENDING';
      const job = await one(sql<{ id: string; taskId: string }>`
        insert into job_task (type, state, idempotency_key, request_hash, request, result, info, ended_at)
        values (${type}, ${state}, ${idempotencyKey}, ${hash}, ${isOver ? null : octets}, ${result}, ${info},
          ${isOver ? fromNow(row.endedIn ?? 0) : sql`null`})
        returning id, task_id as "taskId"`);
      if (isOver) return job;
      const { dueIn = 0, expiresIn = 3_600_000, leasedFor, claimedBy = null } = row;
      const { lapses = 0, isStopWanted = false } = row;
      const isLeased = leasedFor !== undefined;
      await query(sql`
        insert into job_run (id, lane, is_stop_wanted, due_at, expires_at, state, attempt, lapses, lease_until, claimed_by)
        values (${job.id}, ${type === 'dns_result' ? 1 : 0}, ${isStopWanted}, ${fromNow(dueIn)}, ${fromNow(expiresIn)},
          ${isLeased ? 1 : 0}, ${isLeased ? 1 : 0}, ${lapses}, ${isLeased ? fromNow(leasedFor) : sql`null`},
          ${claimedBy}::uuid)`);
      return job;
    },
    readJob: (id: string) => one(sql<StoredJob>`select * from job_task where id = ${id}`),
    readJobs: () => query(sql<StoredJob>`select * from job_task order by id`),
    readRuns: () => query(sql<StoredJobRun>`select * from job_run order by id`),
  });
}

function asOctets(value: unknown): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value));
}

function fromNow(ms: number): RawBuilder<Date> {
  return sql`now() + ${ms}::float8 * interval '1 ms'`;
}
