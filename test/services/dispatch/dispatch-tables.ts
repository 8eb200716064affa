// A database for the tests of one file, with tasks of the dispatch channel; emptied before each test.
import { type Selectable, sql } from 'kysely';
import type { Tables } from '../../../infra/database/tables.ts';
import type { Work } from '../../../services/dispatch/content/work.ts';
import { createSeal } from '../../../services/dispatch/seal.ts';
import { useTestTables } from '../../helpers/test-tables.ts';

export const testSeal = createSeal('a secret of the tests, long enough');
export const testWork: Work = {
  content: { kind: 'tasks', tasks: [{ 'ansible.builtin.ping': {} }] },
  params: {},
  secretTexts: [],
};

export type DispatchTaskRow = {
  name?: string;
  nodes?: string[];
  status?: number;
  timeoutMs?: number;
  work?: Buffer;
  /** Milliseconds from now, by the clock of the database. */
  expiresIn?: number;
  /** A lease that somebody has, for so many milliseconds from now on. */
  leasedFor?: number;
  claimedBy?: string;
  lapses?: number;
  isStopWanted?: boolean;
};

/** To be called at the top of a test file. */
export function useDispatchTables() {
  let serial = 0;
  const tables = useTestTables([sql`truncate dispatch_task, dispatch_node, dispatch_run, dispatch_event`], {
    maxConnections: 6,
  });
  const { query, one } = tables;

  return Object.assign(tables, {
    /** Resolves with the id of a task that waits, on one node unless told otherwise. */
    async addTask(row: DispatchTaskRow = {}): Promise<string> {
      serial += 1;
      const { name = `task-${serial}`, nodes = ['10.0.0.1'], status = 0, timeoutMs = 60_000 } = row;
      const { expiresIn = 3_600_000, leasedFor, claimedBy = null, lapses = 0, isStopWanted = false } = row;
      const work = row.work ?? testSeal.close(testWork);
      const { id } = await one(sql<{ id: string }>`
        insert into dispatch_task (name, global_id, source, nodes, user_name, forks, timeout_ms, status, work)
        values (${name}, '16-16', 'hubble', ${nodes}, 'root', 5, ${timeoutMs}, ${status}, ${work}) returning id`);
      await query(sql`
        insert into dispatch_node (task_id, position, node)
        select ${id}, position - 1, node from unnest(${nodes}::text[]) with ordinality as each (node, position)`);
      const isLeased = leasedFor !== undefined;
      await query(sql`
        insert into dispatch_run (id, is_stop_wanted, expires_at, state, attempt, lapses, lease_until, claimed_by)
        values (${id}, ${isStopWanted}, now() + ${expiresIn} * interval '1 ms', ${isLeased ? 1 : 0}, ${isLeased ? 1 : 0},
          ${lapses}, now() + ${leasedFor ?? null}::float8 * interval '1 ms', ${claimedBy}::uuid)`);
      return id;
    },
    readTask: (id: string) =>
      one(sql<Selectable<Tables['dispatch_task']>>`select * from dispatch_task where id = ${id}`),
    readNodes: (id: string) =>
      query(
        sql<
          Selectable<Tables['dispatch_node']>
        >`select * from dispatch_node where task_id = ${id} order by position`,
      ),
    readRuns: () => query(sql<Selectable<Tables['dispatch_run']>>`select * from dispatch_run order by id`),
    readEvents: (id: string) =>
      query(
        sql<
          Selectable<Tables['dispatch_event']>
        >`select * from dispatch_event where task_id = ${id} order by seq`,
      ),
  });
}
