// Many tasks in one statement: as JSON, because arrays of arrays (tags) have no better form.
import { type RawBuilder, sql } from 'kysely';
import type { TaskDefinition } from './task-definition.ts';

/** Times are milliseconds since the epoch; the next one is Infinity where there is none. */
export type TaskRecord = TaskDefinition & {
  task_id: string;
  target: string;
  anchorMs: number;
  nextMs: number;
  lastMs: number | null;
};

/** All columns but the id, and their values in `recordTable`. */
export const recordColumns = sql.raw(
  `name, enable, module, type, start_time, time_zone, url, method, resp_regexp, body, body_type, redo_param, tags,
   timeout_ms, overlap, misfire, misfire_window, delivery, secret, target, anchor_at, next_at, last_at`,
);
export const recordValues = sql.raw(
  `task.name, task.enable, task.module, task.type, task.start_time, task.time_zone, task.url, task.method,
   task.resp_regexp, task.body, task.body_type, task.redo_param, task.tags, task.timeout_ms, task.overlap, task.misfire,
   task.misfire_window, task.delivery, task.secret, task.target, to_timestamp(task.anchor_ms / 1000),
   coalesce(to_timestamp(task.next_ms / 1000), 'infinity'), to_timestamp(task.last_ms / 1000)`,
);

/** The records as a table `task`, in their order. */
export function recordTable(encoded: string): RawBuilder<unknown> {
  return sql`json_to_recordset(${encoded}::json) as task (
    task_id bigint, name text, enable smallint, module integer, type smallint, start_time text, time_zone text, url text,
    method text, resp_regexp text, body text, body_type smallint, redo_param text, tags text[], timeout_ms integer,
    overlap text, misfire text, misfire_window integer, delivery text, secret text, target text, anchor_ms float8,
    next_ms float8, last_ms float8)`;
}

const maxRecords = 500;
const maxLength = 1024 * 1024;

/** JSON of the records, in parts that neither side takes long over. */
export function* encodeRecords(records: readonly TaskRecord[]): Generator<string> {
  let part: string[] = [];
  let length = 0;
  for (const { anchorMs, nextMs, lastMs, ...columns } of records) {
    // JSON knows no Infinity: null.
    const encoded = JSON.stringify({ ...columns, anchor_ms: anchorMs, next_ms: nextMs, last_ms: lastMs });
    if (part.length === maxRecords || (part.length > 0 && length + encoded.length > maxLength)) {
      yield `[${part.join(',')}]`;
      part = [];
      length = 0;
    }
    part.push(encoded);
    length += encoded.length;
  }
  if (part.length > 0) yield `[${part.join(',')}]`;
}
