// What a replica reads and writes of jobs: those it claims, what they want, and how they end.
import { type RawBuilder, sql } from 'kysely';
import type { JobType } from '../../../contracts/job.ts';
import type { Database } from '../../../infra/database/database.ts';
import { type Claim, claim, finish, release, renew } from '../../../infra/database/lease-table.ts';
import { storableText } from '../../../infra/database/storable-text.ts';
import type { JobLane } from '../../../infra/database/tables.ts';
import type { JobOutcome } from '../job-outcome.ts';

export type ClaimedJob = {
  claim: Claim;
  taskId: string;
  type: JobType;
  /** Undefined when it is large: it is read when it is needed. */
  request: Buffer | undefined;
  isStopWanted: boolean;
  /** Workers that died while they had it. */
  lapses: number;
};

export type FinishedJob = { claim: Claim; type: JobType; outcome: JobOutcome; tookMs: number };

export type JobStore = {
  /** Claims up to `limit` jobs of a lane, the longest due first. */
  claim(lane: JobLane, limit: number): Promise<ClaimedJob[]>;
  renew(claims: Claim[]): Promise<string[]>;
  release(claims: Claim[]): Promise<void>;
  /** What was submitted; undefined when the job has ended. */
  readRequest(id: string): Promise<Buffer | undefined>;
  /**
   * Notes which jobs have been worked on and for how long, none of which is too late any more from then on; resolves with
   * those of `ids` that are to be stopped.
   */
  watch(ids: string[], begun: { id: string; forMs: number }[]): Promise<string[]>;
  /** Ends jobs, for those whose newest claim this is; resolves with their number. Doing it twice changes nothing. */
  finish(jobs: FinishedJob[]): Promise<number>;
};

/** A replica that is gone without a word keeps its jobs this long. */
export const leaseMs = 30_000;
/** Octets of a request that is read with the claim: many are claimed at once. */
const inlineRequest = 65_536;
const table = 'job_run';

/** Every call is one statement, so that it works behind a pooler that gives a connection for one transaction. */
export function createJobStore(database: Database, replica: string): JobStore {
  async function idsOf(statement: RawBuilder<unknown>): Promise<string[]> {
    const { rows } = await database.run((db) => sql<{ id: string }>`${statement}`.execute(db));
    return rows.map(({ id }) => id);
  }

  return {
    async claim(lane, limit) {
      const where = sql<boolean>`lane = ${sql.lit(lane)}`;
      const claimed = claim(table, { where, limit, leaseMs, claimant: replica });
      const { rows } = await database.run((db) =>
        sql<ClaimRow>`
          with claimed as (${claimed})
          select claimed.id, claimed.attempt, claimed.lapses, claimed.is_stop_wanted, task.*
          from claimed
          join lateral (
            select task_id, type, case when octet_length(request) <= ${sql.lit(inlineRequest)} then request end as request
            from job_task where id = claimed.id offset 0
          ) task on true
          order by claimed.due_at, claimed.id`.execute(db),
      );
      return rows.map(readJob);
    },

    renew: (claims) => idsOf(renew(table, claims, leaseMs)),
    async release(claims) {
      await idsOf(release(table, claims));
    },

    async readRequest(id) {
      const { rows } = await database.run((db) =>
        sql<{ request: Buffer | null }>`select request from job_task where id = ${id}`.execute(db),
      );
      return rows[0]?.request ?? undefined;
    },

    async watch(ids, begun) {
      if (ids.length === 0) return [];
      // What began in time has not been too late when it is handed back after that, or its worker dies.
      return idsOf(sql`
        with begun as (
          update job_task task set started_at = now() - begun.for_ms * interval '1 ms'
          from unnest(${begun.map(({ id }) => id)}::bigint[], ${begun.map(({ forMs }) => forMs)}::float8[])
            as begun (id, for_ms)
          where task.id = begun.id and task.started_at is null
          returning task.id),
        timely as (update job_run set expires_at = 'infinity' where id in (select id from begun))
        select id from job_run where id = any (${ids}::bigint[]) and is_stop_wanted`);
    },

    async finish(jobs) {
      const done = finish(
        table,
        jobs.map((job) => job.claim),
      );
      const { outcomes, results } = toColumns(jobs);
      // One parameter for all results: they go as they are, not as text.
      const ids = await idsOf(sql`
        with done as (${done}),
        outcome as (
          select * from jsonb_to_recordset(${JSON.stringify(outcomes)}::jsonb)
            as each (id bigint, state text, info text, took_ms float8, start integer, length integer)),
        task as (
          update job_task task
          set state = outcome.state, info = outcome.info, request = null, ended_at = now(),
            started_at = coalesce(task.started_at, now() - outcome.took_ms * interval '1 ms'),
            result = case when outcome.start is not null
              then substring(${results}::bytea from outcome.start for outcome.length) end
          from done join outcome using (id)
          where task.id = done.id and task.state = 'PENDING')
        select id from done`);
      return ids.length;
    },
  };
}

function toColumns(jobs: readonly FinishedJob[]): { outcomes: Record<string, unknown>[]; results: Buffer } {
  // Counted from 1, as SQL does.
  let start = 1;
  const outcomes = jobs.map(({ claim: { id }, outcome, tookMs }) => {
    const timed = { id, took_ms: tookMs };
    if (!outcome.ok) return { ...timed, state: 'FAILURE', info: storableText(outcome.info) };
    const { length } = outcome.result;
    const place = { start, length };
    start += length;
    return { ...timed, state: 'SUCCESS', ...place };
  });
  return {
    outcomes,
    results: Buffer.concat(jobs.flatMap(({ outcome }) => (outcome.ok ? [outcome.result] : []))),
  };
}

type ClaimRow = {
  id: string;
  attempt: number;
  lapses: number;
  is_stop_wanted: boolean;
  task_id: string;
  type: JobType;
  request: Buffer | null;
};

function readJob(row: ClaimRow): ClaimedJob {
  return {
    claim: { id: row.id, attempt: row.attempt },
    taskId: row.task_id,
    type: row.type,
    request: row.request ?? undefined,
    isStopWanted: row.is_stop_wanted,
    lapses: row.lapses,
  };
}
