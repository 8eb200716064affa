// What a replica reads and writes of runs: those it claims, and what came of their calls.
import { type RawBuilder, type Selectable, sql } from 'kysely';
import { crontabRunTypes, crontabStatuses, parseRedoParam } from '../../../contracts/crontab.ts';
import type { Database } from '../../../infra/database/database.ts';
import {
  type Claim,
  claim,
  finish,
  postpone,
  release,
  renew,
  spendLapses,
} from '../../../infra/database/lease-table.ts';
import { storableText } from '../../../infra/database/storable-text.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import type { Callback, CallbackOutcome } from '../callback/caller.ts';
import { createBeginOnly } from './begin-together.ts';
import { aheadMs } from './take-turn.ts';

/** A run that is held. Times are milliseconds since the epoch, by the clock of the database. */
export type ClaimedRun = {
  claim: Claim;
  taskId: string;
  target: string;
  scheduledAt: number;
  /** When it is to be called. */
  dueAt: number;
  /** When it is too late for that. */
  expiresAt: number;
  runType: number;
  /** Calls that failed before. */
  try: number;
  /** Leases that ran out: nobody knows whether a call was made. */
  lapses: number;
  /** Undefined when the task is not there any more. */
  task: ClaimedTask | undefined;
};

export type ClaimedTask = {
  name: string;
  isEnabled: boolean;
  callback: Callback;
  /** Milliseconds from each failure to the next try. */
  retryDelaysMs: number[];
  isAtMostOnce: boolean;
};

/** What came of a call. */
export type FinishedCall = {
  claim: Claim;
  run: ClaimedRun;
  /** Not called when the task was deleted or disabled meanwhile, or it was too late for it; the outcome says which. */
  kind: 'called' | 'cancelled' | 'expired';
  outcome: CallbackOutcome;
  beginAt: number;
  endAt: number;
  /** When it is called again; undefined when that was all. */
  retryAt: number | undefined;
};

export type RunStore = {
  /**
   * Claims up to `limit` runs that are due or will be in a moment, of other targets than these; `nextDueMs` is when the
   * next one can be claimed, undefined when none is known; `nowMs` is the time at the end of it.
   */
  claim(
    limit: number,
    exceptTargets: string[],
  ): Promise<{ runs: ClaimedRun[]; nextDueMs: number | undefined; nowMs: number }>;
  renew(claims: Claim[]): Promise<string[]>;
  release(claims: Claim[]): Promise<void>;
  /** Writes down that a call begins that is not to be made once more; false when the run is another's. */
  beginOnly(claim: Claim): Promise<boolean>;
  /**
   * Deletes the runs, or puts them off until their retry, and logs what came of the calls, for those whose newest claim
   * this is; resolves with their number. Doing it twice changes nothing. `nowMs`: the time, for the retries.
   */
  finish(calls: FinishedCall[], nowMs: number): Promise<number>;
};

/** A replica that is gone without a word keeps its runs this long. */
export const leaseMs = 10_000;
const table = 'crontab_run';

/** Every call is one statement, so that it works behind a pooler that gives a connection for one transaction. */
export function createRunStore(database: Database, replica: string): RunStore {
  async function idsOf(statement: RawBuilder<unknown>): Promise<string[]> {
    const { rows } = await database.run((db) => sql<{ id: string }>`${statement}`.execute(db));
    return rows.map(({ id }) => id);
  }

  return {
    claim: (limit, exceptTargets) =>
      database.run(async (db) => {
        const where =
          exceptTargets.length === 0
            ? undefined
            : sql<boolean>`not (target = any (${exceptTargets}::text[]))`;
        const claimed = claim(table, {
          ...(where && { where }),
          limit,
          aheadMs,
          leaseMs,
          claimant: replica,
        });
        const { rows } = await sql<ClaimRow>`
          with claimed as (${claimed})
          select claimed.id, claimed.attempt, claimed.task_id, claimed.target, claimed.run_type, claimed.try, claimed.lapses,
            ${asMs(sql`claimed.scheduled_at`)} as scheduled_at, ${asMs(sql`claimed.due_at`)} as due_at, ${asMs(sql`claimed.expires_at`)} as expires_at,
            task.*,
            next.due_in as next_due_in, ${asMs(sql`clock_timestamp()`)} as now
          from (
            select ${asMs(sql`min(due_at) - now()`)} - ${aheadMs} as due_in
            from crontab_run where state = 0 and due_at > now() + ${aheadMs} * interval '1 ms'
          ) next
          left join claimed on true
          -- One by one, by their keys: by its statistics the planner might read all tasks.
          left join lateral (
            select name, enable, method, url, body, body_type, resp_regexp, redo_param, timeout_ms, secret, delivery
            from crontab_task where task_id = claimed.task_id offset 0
          ) task on true`.execute(db);
        return {
          runs: rows.flatMap((row) => (row.id === null ? [] : [readRun(row)])),
          nextDueMs: rows[0]?.next_due_in ?? undefined,
          nowMs: rows[0]?.now ?? Number.NaN,
        };
      }),

    renew: (claims) => idsOf(renew(table, claims, leaseMs)),
    async release(claims) {
      await idsOf(release(table, claims));
    },
    beginOnly: createBeginOnly(async (claims) => {
      const spend = spendLapses(table, claims);
      return (await database.run((db) => sql<Claim>`${spend}`.execute(db))).rows;
    }),

    finish: (calls, nowMs) =>
      database.run(async (db) => {
        const final = calls.flatMap((call) => (call.retryAt === undefined ? [call.claim] : []));
        const put = calls.flatMap(({ claim: held, retryAt }) =>
          retryAt === undefined ? [] : [{ claim: held, delayMs: Math.max(0, retryAt - nowMs) }],
        );
        const { rows } = await sql<{ count: number }>`
          with sent as materialized (
            select * from jsonb_to_recordset(${JSON.stringify(calls.map(toLogRow))}::jsonb) as sent (
              id bigint, try smallint, name text, run_type smallint, status smallint, begin_at float8, end_at float8,
              method text, url text, body text, resp text, resp_code integer, err text, missed integer)),
          done as (${finish(table, final)}),
          -- A new token: when this is sent once more, for want of an answer, it must not be done once more.
          later as (${postpone(table, put, sql`try = work.try + 1, attempt = work.attempt + 1`)}),
          ended as (select id, task_id, scheduled_at from done union all select id, task_id, scheduled_at from later),
          logged as (
            insert into crontab_log (scheduled_at, run_id, try, task_id, name, run_type, status, begin_at, end_at,
              method, url, body, resp, resp_code, err, missed)
            select scheduled_at, id, try, task_id, name, run_type, status, to_timestamp(begin_at / 1000),
              to_timestamp(end_at / 1000), method, url, body, resp, resp_code, err, missed
            from ended join sent using (id))
          select count(*)::integer as count from ended`.execute(db);
        return rows[0]?.count ?? 0;
      }),
  };
}

function asMs(expression: RawBuilder<unknown>): RawBuilder<number> {
  return sql`(extract(epoch from ${expression}) * 1000)::float8`;
}

type RunRow = {
  id: string;
  attempt: number;
  task_id: string;
  target: string;
  run_type: number;
  try: number;
  lapses: number;
  scheduled_at: number;
  due_at: number;
  expires_at: number;
};
type TaskRow = Selectable<
  Pick<
    Tables['crontab_task'],
    | 'name'
    | 'enable'
    | 'method'
    | 'url'
    | 'body'
    | 'body_type'
    | 'resp_regexp'
    | 'redo_param'
    | 'timeout_ms'
    | 'secret'
    | 'delivery'
  >
>;
/** When nothing was claimed, there is one row without a run. */
type ClaimRow = { next_due_in: number | null; now: number } & (
  | (RunRow & (TaskRow | { name: null }))
  | { id: null }
);

function readRun(row: RunRow & (TaskRow | { name: null })): ClaimedRun {
  return {
    claim: { id: row.id, attempt: row.attempt },
    taskId: row.task_id,
    target: row.target,
    scheduledAt: row.scheduled_at,
    dueAt: row.due_at,
    expiresAt: row.expires_at,
    runType: row.run_type,
    try: row.try,
    lapses: row.lapses,
    task: row.name === null ? undefined : readTask(row, row.id),
  };
}

function readTask(row: TaskRow, runId: string): ClaimedTask {
  return {
    name: row.name,
    isEnabled: row.enable === 1,
    callback: {
      method: row.method,
      url: row.url,
      body: row.body,
      bodyType: row.body_type,
      respRegexp: row.resp_regexp,
      timeoutMs: row.timeout_ms,
      secret: row.secret === '' ? null : row.secret,
      messageId: messageIdOf(runId),
    },
    retryDelaysMs: parseRedoParam(row.redo_param),
    isAtMostOnce: row.delivery === 'at_most_once',
  };
}

/** The same for all calls of one time, so that whoever is called can tell them from others. */
export function messageIdOf(runId: string): string {
  return `crontab_${runId}`;
}

function toLogRow(call: FinishedCall): Record<string, unknown> {
  const { claim, run, outcome, beginAt, endAt } = call;
  return {
    id: claim.id,
    try: run.try,
    name: run.task?.name ?? '',
    run_type: run.try + run.lapses > 0 ? crontabRunTypes.retry : run.runType,
    status: statusOf(call),
    missed: call.kind === 'expired' ? 1 : 0,
    begin_at: beginAt,
    end_at: endAt,
    method: run.task?.callback.method ?? '',
    url: run.task?.callback.url ?? '',
    body: run.task?.callback.body ?? '',
    // What is not stored is called once more: no text that others wrote must be one that the database refuses.
    resp: storableText(outcome.resp),
    resp_code: outcome.respCode,
    err: storableText(outcome.err),
  };
}

function statusOf({ kind, outcome }: FinishedCall): number {
  if (kind === 'cancelled') return crontabStatuses.skipped;
  if (kind === 'expired') return crontabStatuses.missed;
  return outcome.isOk ? crontabStatuses.succeeded : crontabStatuses.failed;
}
