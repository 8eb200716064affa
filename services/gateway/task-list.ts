// The list of tasks, as JSON that Postgres keeps beside each of them.
import { createHash } from 'node:crypto';
import { type Kysely, sql } from 'kysely';
import type { TaskGetRequest } from '../../contracts/task.ts';
import type { Database } from '../../infra/database/database.ts';
import type { Tables } from '../../infra/database/tables.ts';
import { cutPage } from './page.ts';

/** `encoded`: JSON of tasks in the order of their ids, UTF-8. */
export type TaskPage = { encoded: Buffer; nextCursor: string | undefined };

/** A whole list that was read before. */
type KnownList = { encoded: Buffer; digest: Buffer };

/**
 * Reads pages of the list; throws `UNAVAILABLE` while the database is away. A whole list that fits into a message of
 * `maxOctets` is kept, and given again for as long as Postgres finds no octet of it changed: it is asked every time.
 */
export function createTaskList(
  database: Database,
  maxOctets: () => number,
): (page: TaskGetRequest) => Promise<TaskPage> {
  let known: KnownList | undefined;

  return (page) =>
    database.run(async (db) => {
      const { limit, cursor, changed_since: changedSince } = page;
      const isWhole = [limit, cursor, changedSince].every((argument) => argument == null);
      // What is given is what was found current, whatever other calls have put in its place meanwhile.
      const held = isWhole ? known : undefined;
      if (held !== undefined && (await isCurrent(db, held)))
        return { encoded: held.encoded, nextCursor: undefined };
      const read = await readPage(db, page);
      if (isWhole) known = read.encoded.length > maxOctets() ? undefined : keep(read);
      return read;
    });
}

async function readPage(
  db: Kysely<Tables>,
  { limit, cursor, changed_since: changedSince }: TaskGetRequest,
): Promise<TaskPage> {
  let query = db.selectFrom('probe_task').select(['task_id', 'reply']).orderBy('task_id');
  if (cursor != null) query = query.where('task_id', '>', cursor);
  if (changedSince != null) query = query.where('updated_at', '>=', sql<Date>`to_timestamp(${changedSince})`);
  if (limit != null) query = query.limit(limit + 1);
  const { rows, nextCursor } = cutPage(await query.execute(), limit, ({ task_id }) => task_id);
  return { encoded: Buffer.from(`[${rows.map(({ reply }) => reply).join(',')}]`), nextCursor };
}

function keep({ encoded }: TaskPage): KnownList {
  return { encoded, digest: createHash('sha256').update(withoutBrackets(encoded)).digest() };
}

/**
 * Whether a read of the list would give the same octets now. Postgres puts them together and compares their digest, in
 * 10 ms for ten thousand tasks, where sending them takes 20; only where they are as many, or it might put together
 * more than it has memory for.
 */
async function isCurrent(db: Kysely<Tables>, { encoded, digest }: KnownList): Promise<boolean> {
  const { rows } = await sql<{ isCurrent: boolean | null }>`
    select case
      when (select sum(octet_length(reply)) + count(*) - 1 from probe_task) = ${withoutBrackets(encoded).length}
      then (select sha256(convert_to(string_agg(reply, ',' order by task_id), 'UTF8')) from probe_task) = ${digest}
    end as "isCurrent"`.execute(db);
  return rows[0]?.isCurrent === true;
}

function withoutBrackets(encoded: Buffer): Buffer {
  return encoded.subarray(1, -1);
}
