// The history of recurring tasks in Postgres.
import { type Selectable, sql } from 'kysely';
import { z } from 'zod';
import { invalidRequest } from '../../contracts/errors.ts';
import type { TaskResult, TaskResultGetReply, TaskResultGetRequest } from '../../contracts/task-result.ts';
import type { Database } from '../../infra/database/database.ts';
import type { Tables } from '../../infra/database/tables.ts';
import { cutPage } from './page.ts';

export type ResultStore = {
  /** Newest nominal time first, then by task, agent and cell. Throws `INVALID_REQUEST` for a cursor that is none. */
  list(request: TaskResultGetRequest): Promise<TaskResultGetReply>;
};

type Row = Selectable<Tables['probe_result']>;

/** Reads with the rights and limits of `database`; throws `UNAVAILABLE` while it is away. */
export function createResultStore(database: Database): ResultStore {
  return {
    list: ({ task_id, agent_id, domain, status, from, to, limit, cursor }) =>
      database.run(async (db) => {
        let query = db
          .selectFrom('probe_result')
          .selectAll()
          .orderBy('scheduled_at', 'desc')
          .orderBy('task_id')
          .orderBy('agent_id')
          .orderBy('cell')
          .limit(limit + 1);
        if (task_id != null) query = query.where('task_id', '=', task_id);
        if (agent_id != null) query = query.where('agent_id', '=', agent_id);
        if (domain != null) query = query.where('domain', '=', domain);
        if (status != null) query = query.where('status', '=', status);
        if (from != null) query = query.where('scheduled_at', '>=', from);
        if (to != null) query = query.where('scheduled_at', '<', to);
        if (cursor != null) {
          const [scheduledAt, ...rest] = decodeCursor(cursor);
          query = query
            .where('scheduled_at', '<=', new Date(scheduledAt))
            .where(
              sql<boolean>`(scheduled_at < ${scheduledAt} or (task_id, agent_id, cell) > (${sql.join(rest)}))`,
            );
        }
        const { rows, nextCursor } = cutPage(await query.execute(), limit, encodeCursor);
        return { results: rows.map(formatResult), next_cursor: nextCursor ?? null };
      }),
  };
}

/** Where a row lies in the order: nominal time, task, agent, cell. */
const cursorSchema = z.tuple([
  z.iso.datetime(),
  z.string().regex(/^\d{1,18}$/),
  z.string().max(64),
  z.int().min(0),
]);

function encodeCursor({ scheduled_at, task_id, agent_id, cell }: Row): string {
  const position: z.infer<typeof cursorSchema> = [scheduled_at.toISOString(), task_id, agent_id, cell];
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function decodeCursor(cursor: string): z.infer<typeof cursorSchema> {
  try {
    return cursorSchema.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch {
    throw invalidRequest([{ path: 'cursor', reason: 'expected a cursor as a reply gave it' }]);
  }
}

function formatResult(row: Row): TaskResult {
  return {
    task_id: row.task_id,
    scheduled_at: row.scheduled_at.toISOString(),
    agent_id: row.agent_id,
    domain: row.domain,
    rtype: row.rtype,
    delay: row.delay_ms,
    dns_response_status: row.status,
    dns_server: row.dns_server,
    device: row.device,
    answer_section: row.answer,
    authority_section: row.authority,
    additional_section: row.additional,
    transport: row.transport,
    truncated: row.truncated,
    tries: row.tries,
    flags: row.flags,
  };
}
