// What the metrics tell of the runs that wait, and of those that agents hold.
import { sql } from 'kysely';
import type { Database } from '../../infra/database/database.ts';

export type QueueState = { ready: number; leased: number; oldestReadyS: number };

/** It counts the whole table: where that takes longer, no figures are better than more load. */
const statementLimit = '5s';

/** `oldestReadyS`: how long the oldest ready run has been due, seconds. */
export async function readQueueState(database: Database): Promise<QueueState> {
  const { rows } = await database.transact(async (db) => {
    await sql`set local statement_timeout = ${sql.lit(statementLimit)}`.execute(db);
    return sql<QueueState>`
      select
        count(*) filter (where state = 0)::integer as ready,
        count(*) filter (where state = 1)::integer as leased,
        coalesce(extract(epoch from now() - min(due_at) filter (where state = 0 and due_at <= now())), 0)::float8
          as "oldestReadyS"
      from probe_run`.execute(db);
  });
  return rows[0] ?? { ready: 0, leased: 0, oldestReadyS: 0 };
}
