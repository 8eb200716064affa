// What a replica reads and writes of runs: those it claims, what happens on their nodes, and how they end.
import { type RawBuilder, sql } from 'kysely';
import {
  type DispatchNode,
  type DispatchStatus,
  dispatchStatuses,
  parseDispatchNode,
} from '../../../contracts/dispatch.ts';
import type { Database } from '../../../infra/database/database.ts';
import { type Claim, claim, finish, release, renew } from '../../../infra/database/lease-table.ts';
import { storableText } from '../../../infra/database/storable-text.ts';
import type { EventRow, NodeState } from './node-tally.ts';
import type { Verdict } from './verdict.ts';

export type ClaimedRun = {
  claim: Claim;
  taskId: string;
  /** In the environment of all that the run starts on its nodes. */
  runKey: string;
  nodes: DispatchNode[];
  user: string;
  forks: number;
  timeoutMs: number;
  /** It was begun by a process that is gone: what it does on its nodes has to be ended, and it is not played once more. */
  wasBegun: boolean;
  isStopWanted: boolean;
  /** Sealed; null when nobody needs it any more. */
  work: Buffer | null;
};

export type FinishedRun = { claim: Claim; verdict: Verdict };

export type RunStore = {
  /** Claims up to `limit` runs, the longest due first. */
  claim(limit: number): Promise<ClaimedRun[]>;
  renew(claims: Claim[]): Promise<string[]>;
  release(claims: Claim[]): Promise<void>;
  /**
   * Writes down that the run begins, before anything of it is started. Nothing is to be started when it is to be stopped,
   * or is another's by now.
   */
  begin(claim: Claim): Promise<'begun' | 'stop_wanted' | 'lost'>;
  /** Stores what happened; false when the run is another's by now. Doing it twice changes nothing. */
  addEvents(claim: Claim, events: { rows: EventRow[]; nodes: NodeState[] }): Promise<boolean>;
  /** Which of these are to be stopped. */
  listStopWanted(ids: string[]): Promise<string[]>;
  /** Ends runs, for those whose newest claim this is; resolves with their number. Doing it twice changes nothing. */
  finish(runs: FinishedRun[]): Promise<number>;
  /** Makes what this replica held claimable at once: it is gone. Resolves with the number of its runs. */
  giveUpLeases(replica: string): Promise<number>;
};

/** A replica that is gone without a word keeps its runs this long. */
export const leaseMs = 30_000;
/** A run that was begun and handed back waits this long, at least, for somebody to clean up after it. */
const cleanupTermMs = 24 * 3_600_000;
const table = 'dispatch_run';
const { waiting, running } = dispatchStatuses;

/** Every call is one statement, so that it works behind a pooler that gives a connection for one transaction. */
export function createRunStore(database: Database, replica: string): RunStore {
  async function idsOf(statement: RawBuilder<unknown>): Promise<string[]> {
    const { rows } = await database.run((db) => sql<{ id: string }>`${statement}`.execute(db));
    return rows.map(({ id }) => id);
  }

  return {
    async claim(limit) {
      const claimed = claim(table, { limit, leaseMs, claimant: replica });
      const { rows } = await database.run((db) =>
        sql<ClaimRow>`
          with claimed as (${claimed})
          select claimed.id, claimed.attempt, claimed.is_stop_wanted, task.*
          from claimed
          join lateral (
            select run_key, nodes, user_name, forks, timeout_ms, status, work
            from dispatch_task where id = claimed.id offset 0
          ) task on true`.execute(db),
      );
      return rows.map(readRun);
    },

    renew: (claims) => idsOf(renew(table, claims, leaseMs)),
    async release(claims) {
      await idsOf(release(table, claims));
    },

    async begin(held) {
      const { rows } = await database.run((db) =>
        sql<{ is_stop_wanted: boolean }>`
          with held as (${lockHeld(held)}),
          begun as (
            update dispatch_task task set status = ${sql.lit(running)}, started_at = now(), updated_at = now()
            from held where task.id = held.id and not held.is_stop_wanted and task.status = ${sql.lit(waiting)}
            returning task.id, task.timeout_ms),
          kept as (
            update dispatch_run run
            set expires_at = now() + begun.timeout_ms * interval '1 ms' + ${cleanupTermMs} * interval '1 ms'
            from begun where run.id = begun.id)
          select is_stop_wanted from held`.execute(db),
      );
      const [row] = rows;
      if (row === undefined) return 'lost';
      return row.is_stop_wanted ? 'stop_wanted' : 'begun';
    },

    async addEvents(held, { rows: events, nodes }) {
      const { rows } = await database.run((db) =>
        sql`
          with held as (${lockHeld(held)}),
          task as (
            update dispatch_task task set updated_at = now() from held where task.id = held.id
            returning task.id, task.global_id, task.source),
          added as (
            insert into dispatch_event (task_id, seq, global_id, source, host, node, action, result, started_at,
              ended_at, detail)
            select task.id, seq, global_id, source, host, node, action, result, to_timestamp(started_at / 1000),
              to_timestamp(ended_at / 1000), detail
            from task, jsonb_to_recordset(${JSON.stringify(events.map(toEvent))}::jsonb) as event (
              seq integer, host text, node text, action text, result text, started_at float8, ended_at float8,
              detail jsonb)
            on conflict do nothing),
          changed as (${updateNodes(
            sql`held`,
            nodes.map((state) => ({ id: held.id, ...state })),
          )})
          select id from held`.execute(db),
      );
      return rows.length > 0;
    },

    async listStopWanted(ids) {
      if (ids.length === 0) return [];
      return idsOf(sql`select id from dispatch_run where id = any (${ids}::bigint[]) and is_stop_wanted`);
    },

    async finish(runs) {
      const verdicts = runs.map(({ claim: { id }, verdict: { status, err } }) => ({
        id,
        status,
        err: err === null ? null : storableText(err),
      }));
      const nodes = runs.flatMap(({ claim: { id }, verdict }) =>
        verdict.nodes.map((state) => ({ id, ...state })),
      );
      const done = finish(
        table,
        runs.map((run) => run.claim),
      );
      const ids = await idsOf(sql`
        with done as (${done}),
        task as (
          update dispatch_task task
          set status = verdict.status, err = verdict.err, work = null, updated_at = now(), ended_at = now()
          from done join jsonb_to_recordset(${JSON.stringify(verdicts)}::jsonb) as verdict (
            id bigint, status smallint, err text) using (id)
          where task.id = done.id and task.status in (${sql.lit(waiting)}, ${sql.lit(running)})),
        changed as (${updateNodes(sql`done`, nodes, { isEnd: true })})
        select id from done`);
      return ids.length;
    },

    async giveUpLeases(gone) {
      const ids = await idsOf(sql`
        update dispatch_run work set lease_until = now() - interval '1 ms'
        where state = 1 and lease_until is not null and claimed_by = ${gone}::uuid
        returning id`);
      return ids.length;
    },
  };
}

/** The run, locked against whoever reaps or stops it, if it is held under this claim. */
function lockHeld({ id, attempt }: Claim): RawBuilder<unknown> {
  return sql`
    select id, is_stop_wanted from dispatch_run
    where id = ${id} and attempt = ${attempt} and lease_until is not null for update`;
}

/** Of the runs in `held`. At the end of a run every node has ended, if it had begun. */
function updateNodes(
  held: RawBuilder<unknown>,
  nodes: readonly (NodeState & { id: string })[],
  { isEnd = false }: { isEnd?: boolean } = {},
): RawBuilder<unknown> {
  const endedAt = isEnd
    ? sql`case when node.started_at is null and state.started_at is null then null else now() end`
    : sql`null`;
  const isOpen = sql`node.status in (${sql.lit(waiting)}, ${sql.lit(running)})`;
  return sql`
    update dispatch_node node
    -- Whoever ends a run of a replica that is gone has seen nothing of what happened.
    set status = case when ${isOpen} then state.status else node.status end,
      err = case when ${isOpen} then state.err else node.err end,
      ok = greatest(node.ok, state.ok), changed = greatest(node.changed, state.changed),
      failed = greatest(node.failed, state.failed), skipped = greatest(node.skipped, state.skipped),
      started_at = coalesce(to_timestamp(state.started_at / 1000), node.started_at), updated_at = now(), ended_at = ${endedAt}
    from ${held} held join jsonb_to_recordset(${JSON.stringify(nodes.map(toNode))}::jsonb) as state (
      id bigint, position integer, status smallint, ok integer, changed integer, failed integer, skipped integer,
      err text, started_at float8) using (id)
    where node.task_id = state.id and node.position = state.position`;
}

function toNode({ startedAt, err, ...state }: NodeState & { id: string }): Record<string, unknown> {
  const { id, position, status, ok, changed, failed, skipped } = state;
  const told = err === null ? null : storableText(err);
  return { id, position, status, ok, changed, failed, skipped, err: told, started_at: startedAt };
}

function toEvent({
  seq,
  node,
  action,
  result,
  startedAt,
  endedAt,
  detail,
}: EventRow): Record<string, unknown> {
  return {
    seq,
    host: parseDispatchNode(node)?.address ?? node,
    node,
    action: storableText(action),
    result,
    started_at: startedAt,
    ended_at: endedAt,
    detail: storable(detail),
  };
}

/** JSON of foreign text that Postgres takes. */
function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [storableText(key), storable(each)]));
}

type ClaimRow = {
  id: string;
  attempt: number;
  is_stop_wanted: boolean;
  run_key: string;
  nodes: string[];
  user_name: string;
  forks: number;
  timeout_ms: number;
  status: DispatchStatus;
  work: Buffer | null;
};

function readRun(row: ClaimRow): ClaimedRun {
  return {
    claim: { id: row.id, attempt: row.attempt },
    taskId: row.id,
    runKey: row.run_key,
    nodes: row.nodes.flatMap((text) => parseDispatchNode(text) ?? []),
    user: row.user_name,
    forks: row.forks,
    timeoutMs: row.timeout_ms,
    wasBegun: row.status !== waiting,
    isStopWanted: row.is_stop_wanted,
    work: row.work,
  };
}
