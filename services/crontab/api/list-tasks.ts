// Lists tasks in the order of their ids.
import { type RawBuilder, type Selectable, sql } from 'kysely';
import { z } from 'zod';
import type { CrontabTask } from '../../../contracts/crontab.ts';
import type { CrontabListRequest } from '../../../contracts/crontab-api.ts';
import type { Database } from '../../../infra/database/database.ts';
import { limitStatements } from '../../../infra/database/limit-statements.ts';
import { decodeCursor, encodeCursor } from '../../../infra/database/page-cursor.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { readPage } from './full-page.ts';
import { formatMoment } from './moment-text.ts';

type TaskRow = Selectable<Tables['crontab_task']>;

/** Of those that match all that is given. Throws `INVALID_REQUEST` for a cursor that is none. */
export function listTasks(
  request: CrontabListRequest,
  database: Database,
): Promise<{ task_list: CrontabTask[]; next_cursor: string | null }> {
  const select = selectTasks(request);
  return database.transact(async (db) => {
    await limitStatements(db, []);
    const { rows, hasMore } = await readPage(db, {
      select,
      order: sql`task_id`,
      octets: sql`octet_length(body)`,
      limit: request.limit,
    });
    const last = rows.at(-1);
    return {
      task_list: rows.map(formatTask),
      next_cursor: hasMore && last ? encodeCursor([last.task_id]) : null,
    };
  });
}

const positionSchema = z.tuple([z.string().regex(/^[1-9]\d{0,17}$/)]);

function selectTasks({ name, module, type, enable, tag, limit, cursor }: CrontabListRequest) {
  const [after] = decodeCursor(cursor, positionSchema) ?? ['0'];
  const conditions: RawBuilder<unknown>[] = [sql`task_id > ${after}`];
  if (name != null) conditions.push(sql`name ilike ${`%${name.replaceAll(/[\\%_]/g, '\\$&')}%`}`);
  if (module != null) conditions.push(sql`module = ${module}`);
  if (type != null) conditions.push(sql`type = ${type}`);
  if (enable != null) conditions.push(sql`enable = ${enable}`);
  if (tag != null) conditions.push(sql`tags @> ${[tag]}::text[]`);
  return sql<TaskRow>`
    select * from crontab_task where ${sql.join(conditions, sql` and `)} order by task_id limit ${limit + 1}`;
}

/** The secret is told to nobody. */
function formatTask(row: TaskRow): CrontabTask {
  return {
    task_id: row.task_id,
    name: row.name,
    enable: row.enable,
    module: row.module,
    type: row.type,
    start_time: row.start_time,
    time_zone: row.time_zone,
    url: row.url,
    method: row.method,
    resp_regexp: row.resp_regexp,
    body: row.body,
    body_type: row.body_type,
    redo_param: row.redo_param,
    tags: row.tags,
    timeout: row.timeout_ms / 1000,
    overlap: row.overlap,
    misfire: row.misfire,
    misfire_window: row.misfire_window,
    delivery: row.delivery,
    has_secret: row.secret !== '',
    next_time: formatMoment(row.next_at),
    last_time: formatMoment(row.last_at),
    created_time: formatMoment(row.created_at),
    updated_time: formatMoment(row.updated_at),
  };
}
