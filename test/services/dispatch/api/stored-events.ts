// Rows of what Ansible did, written as a replica would write them.
import { sql } from 'kysely';
import type { Database } from '../../../../infra/database/database.ts';

export type StoredEvent = {
  taskId: string;
  seq: number;
  globalId?: string;
  source?: string;
  node?: string;
  action?: string;
  result?: string;
  startedAt?: string;
  endedAt?: string;
  detail?: Record<string, unknown>;
};

/** Of a node at 127.0.0.1 unless told otherwise. */
export async function storeEvents(database: Database, events: readonly StoredEvent[]): Promise<void> {
  const rows = events.map(({ taskId, seq, ...given }) => {
    const { node = '127.0.0.1', action = 'wait', result = 'ok' } = given;
    const { globalId = '16-16', source = 'hubble', detail = { module: 'ping', changed: false } } = given;
    const { startedAt = '2017-07-27T16:37:04Z', endedAt = '2017-07-27T16:37:05.9Z' } = given;
    const host = node.replace(/^\[(.*)\]:\d+$/, '$1').replace(/^(\d+\.\d+\.\d+\.\d+):\d+$/, '$1');
    return [taskId, seq, globalId, source, host, node, action, result, startedAt, endedAt, detail];
  });
  await database.run((db) =>
    sql`
      insert into dispatch_event (task_id, seq, global_id, source, host, node, action, result, started_at, ended_at,
        detail)
      select (row ->> 0)::bigint, (row ->> 1)::integer, row ->> 2, row ->> 3, row ->> 4, row ->> 5, row ->> 6, row ->> 7,
        (row ->> 8)::timestamptz, (row ->> 9)::timestamptz, row -> 10
      from jsonb_array_elements(${JSON.stringify(rows)}::jsonb) as row`.execute(db),
  );
}
