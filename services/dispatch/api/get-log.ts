// Lists what Ansible did on a node, for the tasks of one caller that belong together.
import { sql } from 'kysely';
import { parseDispatchNode } from '../../../contracts/dispatch.ts';
import { maxDispatchLogLines } from '../../../contracts/dispatch-api.ts';
import type { Database } from '../../../infra/database/database.ts';
import { limitStatements } from '../../../infra/database/limit-statements.ts';
import { canBeStored } from './find-task.ts';
import { taskNotFound } from './format-error.ts';
import { formatLogLine, type LogLine } from './log-line.ts';

export type LogKey = {
  globalId: string;
  /** As the tasks were stored under. */
  source: string;
  /** An address, for all of its ports, or with one of them. */
  host: string;
};

/**
 * By task, in the order in which steps ended; the first 10,000. The host of a line is the one that was asked for. Throws
 * `NOT_FOUND` where there is none.
 */
export async function getLog({ globalId, source, host }: LogKey, database: Database): Promise<string[]> {
  const node = parseDispatchNode(host);
  if (node === undefined || !canBeStored(source)) throw taskNotFound();
  const { address, text } = node;
  const rows = await database.transact(async (db) => {
    await limitStatements(db, []);
    const found = await sql<Omit<LogLine, 'host'>>`
      select global_id as "globalId", source, started_at as "startedAt", ended_at as "endedAt", result
      from dispatch_event
      where global_id = ${globalId} and source = ${source} and host = ${address}
        and ${text === address ? sql`true` : sql`node = ${text}`}
      order by task_id, seq limit ${maxDispatchLogLines}`.execute(db);
    return found.rows;
  });
  if (rows.length === 0) throw taskNotFound();
  return rows.map((row) => formatLogLine({ ...row, host: text }));
}
