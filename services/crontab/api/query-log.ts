// Tells what became of tasks: the calls that are under way, and the log, newest first.
import { type Kysely, sql, type Transaction } from 'kysely';
import {
  type CrontabItemResult,
  type CrontabLogEntry,
  type CrontabTaskKey,
  crontabTaskKeySchema,
} from '../../../contracts/crontab.ts';
import type { CrontabLogRequest } from '../../../contracts/crontab-api.ts';
import type { Database } from '../../../infra/database/database.ts';
import { limitStatements } from '../../../infra/database/limit-statements.ts';
import { decodeCursor, encodeCursor } from '../../../infra/database/page-cursor.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { createEventLoopPauses } from '../../../infra/event-loop-pauses.ts';
import { messageIdOf } from '../run/run-store.ts';
import { type Page, readPage } from './full-page.ts';
import { noSuchTask, refused } from './item-result.ts';
import {
  type LogFilter,
  type LogPosition,
  type LogRow,
  logPositionSchema,
  newestFirst,
  newestPosition,
  selectLog,
} from './log-query.ts';
import { formatMoment } from './moment-text.ts';
import { readCalls } from './read-calls.ts';
import { type ReadItem, readItems } from './read-items.ts';
import { isNamedBy } from './stored-tasks.ts';

export type LogPage = {
  log_list: CrontabLogEntry[];
  task_result: CrontabItemResult[];
  next_cursor: string | null;
};

/** Calls under way that a first page shows. */
const maxCalls = 100;

/**
 * Of the tasks in the list, or of all; a deleted one is known by its id only. Throws `INVALID_REQUEST` for a cursor that
 * is none.
 */
export async function queryLog(request: CrontabLogRequest, database: Database): Promise<LogPage> {
  const { task_list: list, limit, cursor } = request;
  const position = decodeCursor(cursor, logPositionSchema);
  const items =
    list == null ? undefined : await readItems(list, crontabTaskKeySchema, createEventLoopPauses());
  return database.transact(async (db) => {
    await beginReading(db);
    const { taskIds, results } = await findTasks(db, items);
    if (taskIds?.length === 0) return { log_list: [], task_result: results, next_cursor: null };
    const filter = { ...request, taskIds };
    const calls = position === undefined ? await readCalls(db, filter, Math.min(limit, maxCalls)) : [];
    const after = position ?? newestPosition;
    const { rows, hasMore } = await readLog(db, filter, after, limit - calls.length);
    return {
      log_list: [...calls, ...rows.map(formatEntry)],
      task_result: results,
      next_cursor: hasMore ? encodeCursor(positionOf(rows.at(-1)) ?? after) : null,
    };
  });
}

/** All statements see the same moment: a call that ends meanwhile is told once. */
export async function beginReading(db: Transaction<Tables>): Promise<void> {
  await sql`set transaction isolation level repeatable read, read only`.execute(db);
  await limitStatements(db, ['enable_seqscan', 'enable_bitmapscan']);
}

/** The ids that the items mean, without a list undefined; and what is to be said of items that mean none. */
async function findTasks(
  db: Kysely<Tables>,
  items: readonly ReadItem<CrontabTaskKey>[] | undefined,
): Promise<{ taskIds: string[] | undefined; results: CrontabItemResult[] }> {
  if (items === undefined) return { taskIds: undefined, results: [] };
  const keys = items.flatMap(({ item }) => (item === undefined ? [] : [item]));
  const tasks = await db
    .selectFrom('crontab_task')
    .select(['task_id', 'name'])
    .where(isNamedBy(keys))
    .execute();
  const ids = new Set(tasks.map(({ task_id: id }) => id));
  const idByName = new Map(tasks.map(({ task_id: id, name }) => [name, id]));
  const taskIds = new Set<string>();
  const results: CrontabItemResult[] = [];
  for (const { key, item, fault } of items) {
    const id = item?.task_id ?? (item?.name === undefined ? undefined : idByName.get(item.name));
    if (id !== undefined) taskIds.add(id);
    if (item === undefined) results.push(refused(key, fault));
    else if (id === undefined || !ids.has(id)) results.push(refused(key, noSuchTask(item)));
  }
  return { taskIds: [...taskIds], results };
}

/** With a limit of 0 it only tells whether there is anything. */
function readLog(
  db: Kysely<Tables>,
  filter: LogFilter,
  after: LogPosition,
  limit: number,
): Promise<Page<LogRow>> {
  return readPage(db, {
    select: selectLog(filter, after, limit + 1),
    order: newestFirst,
    octets: sql`(octet_length(body) + octet_length(resp))`,
    limit,
  });
}

function positionOf(row: LogRow | undefined): LogPosition | undefined {
  return row && [row.scheduled_at.toISOString(), row.run_id, row.try];
}

function formatEntry(row: LogRow): CrontabLogEntry {
  return {
    task_id: row.task_id,
    name: row.name,
    run_type: row.run_type,
    status: row.status,
    begin_time: formatMoment(row.begin_at),
    end_time: formatMoment(row.end_at),
    url: row.url,
    body: row.body,
    resp: row.resp,
    scheduled_time: formatMoment(row.scheduled_at),
    run_id: messageIdOf(row.run_id),
    try: row.try,
    method: row.method,
    resp_code: row.resp_code,
    err: row.err,
    missed: row.missed,
  };
}
