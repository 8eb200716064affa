// What an agent reads and writes in the shared tables: who it is, the runs it claims, what came of them.
import { type RawBuilder, sql } from 'kysely';
import { DatabaseError } from 'pg';
import { type RunPayload, runPayloadSchema } from '../../../contracts/run.ts';
import type { Database } from '../../../infra/database/database.ts';
import { type Claim, claim, finish, release, renew } from '../../../infra/database/lease-table.ts';
import type { AgentIdentity } from '../announce.ts';
import { readResultColumns, resultColumns } from './cell-result.ts';

export type ClaimedRun = {
  claim: Claim;
  taskId: string;
  /** Undefined when it cannot be understood. */
  payload: RunPayload | undefined;
  /** Milliseconds since it was due. */
  lagMs: number;
  /** Milliseconds until it is too late. */
  expiresInMs: number;
};

/** `results` is a JSON array of what `formatResult` made. */
export type FinishedRun = { claim: Claim; results: string };

export type RunStore = {
  /** Writes the agent and its session down, as new ones or over what is there. */
  register(): Promise<void>;
  /** False when the session is not there any more. */
  beat(): Promise<boolean>;
  /**
   * Claims up to `limit` runs that are due, of other tasks than these; `nextDueMs` is when the next one will be,
   * undefined when none is known.
   */
  claim(
    limit: number,
    exceptTasks?: string[],
  ): Promise<{ runs: ClaimedRun[]; nextDueMs: number | undefined }>;
  /** Resolves with the ids of those that are still this agent's. */
  renew(claims: Claim[]): Promise<string[]>;
  release(claims: Claim[]): Promise<void>;
  /** Deletes the runs and stores their results, for those whose newest claim this is. Doing it twice changes nothing. */
  finish(runs: FinishedRun[]): Promise<{ runs: number; results: number }>;
};

export const leaseMs = 30_000;
const uniqueViolation = '23505';

/** Every call is one statement, so that it works behind a pooler that gives a connection for one transaction. */
export function createRunStore(database: Database, { session, ...agent }: AgentIdentity): RunStore {
  const { agent_id: agentId, country, province, city, carrier } = agent;
  const device = JSON.stringify({ country, province, city, carrier });

  return {
    register: () =>
      database.run(async (db) => {
        await db
          .with('known', (query) =>
            query
              .insertInto('agent')
              .values(agent)
              .onConflict((conflict) =>
                conflict
                  .column('agent_id')
                  .doUpdateSet({ ...agent, agent_id: undefined, registered_at: sql<Date>`now()` }),
              )
              .returning('agent_id'),
          )
          .insertInto('agent_session')
          .columns(['session_id', 'agent_id'])
          .expression((query) =>
            query.selectFrom('known').select([sql<string>`${session}::uuid`.as('session_id'), 'agent_id']),
          )
          .onConflict((conflict) =>
            conflict.column('session_id').doUpdateSet({ heartbeat_at: sql<Date>`now()` }),
          )
          .execute();
      }),

    beat: () =>
      database.run(async (db) => {
        const { numUpdatedRows } = await db
          .updateTable('agent_session')
          .set({ heartbeat_at: sql<Date>`now()` })
          .where('session_id', '=', session)
          .executeTakeFirstOrThrow();
        return numUpdatedRows > 0n;
      }),

    claim: (limit, exceptTasks = []) =>
      database.run(async (db) => {
        const isOurs = sql<boolean>`agent_id = ${agentId} and not (task_id = any (${exceptTasks}::bigint[]))`;
        const { rows } = await sql<ClaimRow>`
          with claimed as (${claim('probe_run', { where: isOurs, limit, leaseMs, claimant: session })})
          select next_due_ms, id, task_id, attempt, payload,
            (extract(epoch from now() - due_at) * 1000)::float8 as lag_ms,
            (extract(epoch from expires_at - now()) * 1000)::float8 as expires_in_ms
          from (
            select (extract(epoch from min(due_at) - now()) * 1000)::float8 as next_due_ms
            from probe_run where state = 0 and ${isOurs} and due_at > now()
          ) next
          left join claimed on true`.execute(db);
        return {
          runs: rows.flatMap((row) => (row.id === null ? [] : [readRun(row)])),
          nextDueMs: rows[0]?.next_due_ms ?? undefined,
        };
      }),

    renew: (claims) =>
      database.run(async (db) => {
        const { rows } = await renew('probe_run', claims, leaseMs).execute(db);
        return rows.map(({ id }) => id);
      }),

    release: (claims) =>
      database.run(async (db) => {
        await release('probe_run', claims).execute(db);
      }),

    async finish(runs) {
      try {
        return await finishRuns(runs, sql``);
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        return finishRuns(runs, sql`on conflict do nothing`);
      }
    },
  };

  /** To look for each result first takes 3.6 µs of 23: that is done when one is there already, which is rare. */
  async function finishRuns(
    runs: FinishedRun[],
    onConflict: RawBuilder<unknown>,
  ): Promise<{ runs: number; results: number }> {
    const resultsById = `{${runs.map(({ claim: { id }, results }) => `"${id}":${results}`).join(',')}}`;
    const done = finish(
      'probe_run',
      runs.map((run) => run.claim),
    );
    const statement = sql<{ runs: number; results: number }>`
      with done as (${done}),
      stored as (
        insert into probe_result (scheduled_at, task_id, agent_id, device, ${resultColumns})
        select done.scheduled_at, done.task_id, done.agent_id, ${device}::jsonb, ${readResultColumns('sent.result')}
        from done
        cross join lateral jsonb_array_elements(${resultsById}::jsonb -> done.id::text) as sent (result)
        ${onConflict}
        returning 1)
      select (select count(*) from done)::integer as runs, (select count(*) from stored)::integer as results`;
    const { rows } = await database.run((db) => statement.execute(db));
    return rows[0] ?? { runs: 0, results: 0 };
  }
}

/** Two results of one cell: its slot was planned twice. */
function isDuplicate(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === uniqueViolation;
}

type RunRow = {
  id: string;
  task_id: string;
  attempt: number;
  payload: unknown;
  lag_ms: number;
  expires_in_ms: number;
};
/** When nothing was claimed, there is one row without a run. */
type ClaimRow = { next_due_ms: number | null } & (RunRow | { id: null });

function readRun(row: RunRow): ClaimedRun {
  return {
    claim: { id: row.id, attempt: row.attempt },
    taskId: row.task_id,
    payload: runPayloadSchema.safeParse(row.payload).data,
    lagMs: row.lag_ms,
    expiresInMs: row.expires_in_ms,
  };
}
