// Rows of the log for tests.
import { type RawBuilder, sql } from 'kysely';
import type { CrontabTables, StoredLog } from '../crontab-tables.ts';

/** 2026-09-20T04:00:00Z. */
export const firstLogAt = Date.parse('2026-09-20T04:00:00Z');

/** Milliseconds since the epoch. */
export type LogRow = Partial<Omit<StoredLog, 'scheduled_at' | 'begin_at' | 'end_at'>> & {
  scheduledAt?: number;
};

/** A call that succeeded, a minute after the one before it, unless said otherwise; resolves with the ids of the runs. */
export async function addLog(tables: CrontabTables, ...rows: LogRow[]): Promise<string[]> {
  const ids: string[] = [];
  for (const row of rows) {
    count += 1;
    const { scheduledAt = firstLogAt + count * 60_000, ...given } = row;
    const columns: Omit<StoredLog, 'begin_at' | 'end_at'> = {
      scheduled_at: new Date(scheduledAt),
      run_id: String(count),
      try: 0,
      task_id: '1',
      name: 'a',
      run_type: 1,
      status: 2,
      method: 'post',
      url: 'http://a.example/',
      body: '',
      resp: 'ok',
      resp_code: 200,
      err: '',
      missed: 0,
      ...given,
    };
    ids.push(columns.run_id);
    await tables.query(insertLog(columns));
  }
  return ids;
}

let count = 0;

function insertLog(columns: Omit<StoredLog, 'begin_at' | 'end_at'>): RawBuilder<unknown> {
  const names = Object.keys(columns).map((name) => sql.ref(name));
  const at = columns.scheduled_at;
  return sql`
    insert into crontab_log (${sql.join(names)}, begin_at, end_at)
    values (${sql.join(Object.values(columns))}, ${at}::timestamptz + interval '10 ms', ${at}::timestamptz + interval '30 ms')`;
}
