// What is done every ten minutes: partitions by day, and sessions of agents that are gone.
import { sql } from 'kysely';
import type { Database } from '../../infra/database/database.ts';
import { type DayPartitionedTable, maintainDayPartitions } from '../../infra/database/day-partitions.ts';
import { tryAll } from '../../infra/try-all.ts';

export const dayTables: readonly DayPartitionedTable[] = ['probe_slot', 'probe_result'];
const daysAhead = 3;

/** Does all of it that can be done; throws for what cannot. An aborted `signal` ends it early. */
export async function doUpkeep(
  database: Database,
  { retentionDays, signal }: { retentionDays: number; signal: AbortSignal },
): Promise<void> {
  await tryAll(
    [
      () => maintainDayPartitions(database, dayTables, { daysAhead, retentionDays, signal }),
      () => removeOldSessions(database),
    ],
    signal,
  );
}

/**
 * Removes sessions that were last heard of a day before the newest: their agents are not expected back any more. Not a
 * day ago, for when the database was away so long nobody was heard of.
 */
export async function removeOldSessions(database: Database): Promise<void> {
  await database.run((db) =>
    db
      .deleteFrom('agent_session')
      .where('heartbeat_at', '<', sql<Date>`(select max(heartbeat_at) - interval '1 day' from agent_session)`)
      .execute(),
  );
}
