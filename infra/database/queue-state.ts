// What the metrics tell of the rows of a work table that wait, and of those that are held.
import { sql } from 'kysely';
import type { Database } from './database.ts';
import type { LeaseTable } from './lease-table.ts';

export type QueueState = { ready: number; leased: number; oldestReadyS: number };

/** It counts the whole table: where that takes longer, no figures are better than more load. */
const defaultLimitMs = 5000;

/**
 * `oldestReadyS`: how long the oldest ready row has been due, seconds. Throws `UNAVAILABLE` where counting takes longer
 * than `limitMs`.
 */
export async function readQueueState(
  database: Database,
  table: LeaseTable,
  { limitMs = defaultLimitMs }: { limitMs?: number } = {},
): Promise<QueueState> {
  const { rows } = await database.transact(async (db) => {
    await sql`set local statement_timeout = ${sql.lit(limitMs)}`.execute(db);
    return sql<QueueState>`
      select
        count(*) filter (where state = 0)::integer as ready,
        count(*) filter (where state = 1)::integer as leased,
        coalesce(extract(epoch from now() - min(due_at) filter (where state = 0 and due_at <= now())), 0)::float8
          as "oldestReadyS"
      from ${sql.table(table)}`.execute(db);
  });
  return rows[0] ?? { ready: 0, leased: 0, oldestReadyS: 0 };
}
