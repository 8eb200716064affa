// Every task as a reply has it: the list of all tasks is asked for far more often than a task is changed.
import { type Kysely, sql } from 'kysely';

export async function up(db: Kysely<never>): Promise<void> {
  // The contract's fields in its order. The expression is about strings of JSON, which stay as they are, and the white
  // space between them, which goes. Declared immutable because it is for columns of these types: none of them is written
  // in a way that depends on a setting, unlike the times that `json_build_object` takes as well.
  await sql`
    create function probe_task_reply(
      task_id bigint, type text, service_type text, cycle integer, probe_data jsonb, target jsonb, status smallint,
      group_id integer, uid jsonb, gid jsonb, task_time jsonb, pinned boolean
    ) returns text language sql immutable parallel safe
    return regexp_replace(
      json_build_object(
        'task_id', task_id::text, 'type', type, 'service_type', service_type, 'cycle', cycle,
        'probe_data', probe_data, 'target', target, 'status', status, 'group_id', group_id,
        'uid', uid, 'gid', gid, 'task_time', task_time, 'pinned', pinned)::text,
      '("(?:[^"\\\\]|\\\\.)*")|\\s+', '\\1', 'g')`.execute(db);
  // Written by Postgres alone, whoever changes the row, and not anew when the scheduler moves a task on.
  await sql`
    alter table probe_task add column reply text not null generated always as (
      probe_task_reply(task_id, type, service_type, cycle, probe_data, target, status, group_id, uid, gid, task_time,
        pinned)) stored`.execute(db);
}
