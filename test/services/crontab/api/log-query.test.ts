// How the database reads a page of the log, while it knows little of the partition of today.
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { type LogFilter, newestPosition, selectLog } from '../../../../services/crontab/api/log-query.ts';
import { beginReading } from '../../../../services/crontab/api/query-log.ts';
import { nodeTypes, planNodes } from '../../gateway/explained-plan.ts';
import { useCrontabTables } from '../crontab-tables.ts';

const tables = useCrontabTables();

/** A hundred tasks, a call every second; one in a hundred failed, none was a rerun. */
beforeEach(() =>
  tables.query(sql`
    insert into crontab_log (scheduled_at, run_id, try, task_id, name, run_type, status, begin_at, end_at, method, url,
      body, resp, err)
    select date_trunc('second', now()) - second * interval '1 s', second * 100 + task, 0, task, 't', 1,
      case when (second + task) % 100 = 0 then 3 else 2 end, now(), now(), 'post', '', '', '', ''
    from generate_series(1, 300) second, generate_series(1, 100) task`),
);

const all: LogFilter = { taskIds: undefined, status: null, run_type: null, from: null, to: null };

async function explain(filter: LogFilter) {
  return tables.database.transact(async (db) => {
    await beginReading(db);
    const explained = sql`explain (format json) ${selectLog(filter, newestPosition, 101)}`;
    return planNodes((await explained.execute(db)).rows);
  });
}

describe('a page is one stretch of an index', () => {
  test.each<[string, LogFilter, RegExp]>([
    ['of all tasks', all, /pkey$/],
    ['of calls that succeeded', { ...all, status: 2, run_type: 1 }, /pkey$/],
    ['of one task', { ...all, taskIds: ['7'] }, /task_id/],
    ['of one task until a time', { ...all, taskIds: ['7'], to: new Date() }, /task_id/],
    ['of calls that failed', { ...all, status: 3 }, /status/],
    ['of times that were missed', { ...all, status: 5 }, /status/],
    ['of reruns', { ...all, run_type: 3 }, /run_type/],
  ])('%s', async (_, filter, index) => {
    const nodes = await explain(filter);
    expect(['Append', 'Index Scan', 'Limit', 'Merge Append']).toEqual(
      expect.arrayContaining(nodeTypes(nodes)),
    );
    const used = nodes.flatMap((node) => node['Index Name'] ?? []);
    expect(used.length).toBeGreaterThan(0);
    for (const name of used) expect(name).toMatch(index);
  });

  test('of several tasks: one for each, and of the newest their rows by key', async () => {
    const nodes = await explain({ ...all, taskIds: ['7', '8', '9'] });
    const scans = nodes.filter((node) => node['Relation Name']?.startsWith('crontab_log'));
    expect(scans.length).toBeGreaterThan(0);
    for (const scan of scans) {
      expect(scan['Node Type']).toMatch(/^Index (Only )?Scan$/);
      expect(scan['Index Name']).toMatch(/task_id|pkey$/);
      expect(scan['Index Cond']).toMatch(/task_id = task.id|scheduled_at = /);
    }
  });
});
