// A database for the tests of one file, with rows of recurring tasks; emptied before each test.
import { randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import type { RunPayload } from '../../contracts/run.ts';
import { type TestTables, useTestTables } from './test-tables.ts';

/** Milliseconds from now, by the clock of the database. */
type FromNow = number;

export type TaskRow = {
  type?: string;
  cycle?: number;
  status?: 0 | 1;
  group_id?: number;
  /** Columns of JSON as they are to be stored. */
  probe_data?: unknown;
  target?: unknown;
  task_time?: unknown;
  updatedIn?: FromNow;
};

export type RunRow = {
  task_id?: string;
  agent_id?: string;
  scheduled_at?: Date;
  chunk?: number;
  payload?: Partial<RunPayload>;
  dueIn?: FromNow;
  expiresIn?: FromNow;
  /** A lease that somebody has. */
  leasedFor?: FromNow;
  attempt?: number;
  lapses?: number;
};

export type RecurringTables = TestTables & RecurringRows;

type RecurringRows = {
  /** Resolves with the task's id. */
  addTask(row?: TaskRow): Promise<string>;
  addAgent(
    id: string,
    row?: { groups?: number[]; resolvers?: string[]; heardIn?: FromNow; place?: string[] },
  ): Promise<void>;
  /** Resolves with the run's id. */
  addRun(row?: RunRow): Promise<string>;
};

export const slotAt = new Date('2026-09-20T04:00:00Z');

const ownTables = [
  'probe_task',
  'probe_run',
  'probe_slot',
  'probe_result',
  'agent',
  'domain_group',
  'probe_group_detail',
  'local_dns',
] as const;

/** To be called at the top of a test file. */
export function useRecurringTables(): RecurringTables {
  let chunk = 0;
  const tables = useTestTables(ownTables.map((table) => sql`delete from ${sql.table(table)}`));
  const { query, one } = tables;
  const insert = async (statement: RawBuilder<{ id: string }>) => (await one(statement)).id;

  const rows: RecurringRows = {
    addTask(row = {}) {
      const {
        type = 'dns',
        cycle = 60,
        status = 1,
        group_id = null,
        probe_data = { dns_servers: ['1.1.1.1'] },
        target = [{ type: 'domain', rtype: 'A', data: 'a.example' }],
        task_time = null,
        updatedIn = -3_600_000,
      } = row;
      return insert(sql`
        insert into probe_task (type, service_type, cycle, probe_data, target, status, group_id, task_time, pinned, updated_at)
        values (${type}, 'dnsMonitor', ${cycle}, ${JSON.stringify(probe_data)}::jsonb, ${JSON.stringify(target)}::jsonb,
          ${status}, ${group_id}, ${task_time === null ? null : JSON.stringify(task_time)}::jsonb, false, ${fromNow(updatedIn)})
        returning task_id as id`);
    },
    async addAgent(id, row = {}) {
      const { groups = [], resolvers = ['192.0.2.1'], heardIn = 0, place = ['86', '1', '2', '电信'] } = row;
      await query(sql`
        insert into agent (agent_id, country, province, city, carrier, groups, resolvers, version)
        values (${id}, ${sql.join(place)}, ${groups}::integer[], ${resolvers}::text[], '1')`);
      await query(sql`
        insert into agent_session (session_id, agent_id, heartbeat_at)
        values (${randomUUID()}::uuid, ${id}, ${fromNow(heardIn)})`);
    },
    addRun(row = {}) {
      chunk += 1;
      const { task_id = '1', agent_id = 'a', scheduled_at = slotAt, dueIn = -1000, expiresIn = 60_000 } = row;
      const { leasedFor, attempt = 0, lapses = 0 } = row;
      const payload = {
        servers: ['1.1.1.1'],
        targets: [{ domain: 'a.example', rtype: 'A' }],
        first_cell: 0,
        stride: 1,
        ...row.payload,
      };
      return insert(sql`
        insert into probe_run (
          task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at, attempt, lapses, state, lease_until, claimed_by)
        values (${task_id}, ${scheduled_at}, ${agent_id}, ${row.chunk ?? chunk}, ${JSON.stringify(payload)}::jsonb,
          ${fromNow(dueIn)}, ${fromNow(expiresIn)}, ${attempt}, ${lapses}, ${leasedFor === undefined ? 0 : 1},
          ${leasedFor === undefined ? sql`null` : fromNow(leasedFor)},
          ${leasedFor === undefined ? null : randomUUID()}::uuid)
        returning id`);
    },
  };
  return Object.assign(tables, rows);
}

function fromNow(ms: FromNow): RawBuilder<Date> {
  return sql`now() + ${ms}::float8 * interval '1 ms'`;
}
