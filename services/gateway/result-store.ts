// The history of recurring tasks in Postgres.
import { type Kysely, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { agentIdSchema } from '../../contracts/agent.ts';
import { taskIdSchema } from '../../contracts/task.ts';
import type { TaskResult, TaskResultGetReply, TaskResultGetRequest } from '../../contracts/task-result.ts';
import type { Database } from '../../infra/database/database.ts';
import { limitStatements } from '../../infra/database/limit-statements.ts';
import { decodeCursor, encodeCursor } from '../../infra/database/page-cursor.ts';
import type { Tables } from '../../infra/database/tables.ts';
import { cutPage, fitOctets } from './page.ts';

export type ResultStore = {
  /**
   * Newest nominal time first, then by task, agent and cell, the largest first. A page ends early where a message is full.
   * Throws `INVALID_REQUEST` for a cursor that is none.
   */
  list(request: TaskResultGetRequest): Promise<TaskResultGetReply>;
};

type Row = Selectable<Tables['probe_result']>;

/**
 * Reads with the rights and limits of `database`; throws `UNAVAILABLE` while it is away. `maxOctets`: what one message
 * may have.
 */
export function createResultStore(database: Database, maxOctets: () => number): ResultStore {
  return {
    list: (request) =>
      database.transact(async (db) => {
        await limitStatements(db);
        const found = await selectResults(db, request).execute();
        const results = found.slice(0, request.limit).map(formatResult);
        const { rows, nextCursor } = cutPage(found, fitOctets(results, maxOctets()), encodePosition);
        return { results: results.slice(0, rows.length), next_cursor: nextCursor ?? null };
      }),
  };
}

const keyColumns = ['scheduled_at', 'task_id', 'agent_id', 'cell'] as const;

/**
 * The statement for one page and the first row of the next. All columns of the order run downwards, so that a page is one
 * stretch of one index, however large a slot is.
 */
export function selectResults(db: Kysely<Tables>, request: TaskResultGetRequest) {
  const { task_id, agent_id, domain, status, from, to, limit, cursor } = request;
  const filters: Partial<Record<keyof Row, string | null | undefined>> = {
    task_id,
    agent_id,
    domain,
    status,
  };
  let query = db
    .selectFrom('probe_result')
    .selectAll()
    .limit(limit + 1);
  // No column is ever null. Where nulls go is said because the indexes of the filters are declared with it and the primary
  // key is not: read for the sake of its order, the primary key gives the rows of all tasks until it has a page of one.
  const isFiltered = [task_id, agent_id, domain].some((value) => value != null) || !isOrdinary(status);
  for (const column of keyColumns) {
    query = query.orderBy(column, (order) => (isFiltered ? order.desc().nullsLast() : order.desc()));
  }
  for (const [column, value] of Object.entries(filters)) {
    if (value != null) query = query.where(sql.ref(column), '=', value);
  }
  if (from != null) query = query.where('scheduled_at', '>=', from);
  if (to != null) query = query.where('scheduled_at', '<', to);
  const position = decodeCursor(cursor, positionSchema) ?? beforeFirst;
  // A column that a filter holds fast is left out, so that the comparison has the columns of the filter's index in a row.
  const open = keyColumns.filter((column) => filters[column] !== position[column]);
  return query.where(
    sql<boolean>`(${sql.join(open.map((column) => sql.ref(column)))}) < (${sql.join(open.map((column) => position[column]))})`,
  );
}

/**
 * The first page has a position too: without a bound on the nominal time, Postgres 18 may jump through the primary key
 * from one nominal time to the next (a skip scan), thousands of times for a page of a few rows.
 */
const beforeFirst = { scheduled_at: 'infinity', task_id: '0', agent_id: '', cell: 0 };

/** The index of statuses leaves out the one that most rows have. */
function isOrdinary(status: string | null | undefined): boolean {
  return status == null || status === 'NOERROR';
}

/** Postgres' `integer`. */
const maxCell = 2_147_483_647;

/** Where a row lies in the order. Nominal times are whole milliseconds, so that a `Date` holds them exactly. */
const positionSchema = z
  .tuple([z.iso.datetime(), taskIdSchema, agentIdSchema, z.int().min(0).max(maxCell)])
  .transform(([scheduledAt, task_id, agent_id, cell]) => ({
    scheduled_at: new Date(scheduledAt),
    task_id,
    agent_id,
    cell,
  }));

function encodePosition({ scheduled_at, task_id, agent_id, cell }: Row): string {
  return encodeCursor([scheduled_at.toISOString(), task_id, agent_id, cell]);
}

const unknownPlace = { country: '', province: '', city: '', carrier: '' };

function formatResult(row: Row): TaskResult {
  return {
    task_id: row.task_id,
    scheduled_at: row.scheduled_at.toISOString(),
    finished_at: row.finished_at.toISOString(),
    agent_id: row.agent_id,
    domain: row.domain,
    rtype: row.rtype,
    delay: row.delay_ms,
    ...(row.lag_ms === null ? {} : { lag: row.lag_ms }),
    dns_response_status: row.status,
    dns_server: row.dns_server,
    // A row that was stored without a place must not make a page unreadable.
    device: { ...unknownPlace, ...row.device },
    answer_section: row.answer,
    authority_section: row.authority,
    additional_section: row.additional,
    transport: row.transport,
    truncated: row.truncated,
    tries: row.tries,
    flags: row.flags,
  };
}
