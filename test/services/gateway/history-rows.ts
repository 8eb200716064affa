// Rows of the history for tests: slots, tasks, agents and cells in numbers, in partitions of a day each.
import { Client } from 'pg';
import type { TestDatabase } from '../../helpers/postgres.ts';

/** 2026-09-20T00:00:00Z. */
export const firstDayS = 1_789_862_400;
export const dayS = 24 * 3600;

/** Runs statements over a connection of their own. */
export async function execute(database: TestDatabase, ...statements: string[]): Promise<void> {
  const connection = new Client({ connectionString: database.url });
  await connection.connect();
  try {
    for (const statement of statements) await connection.query(statement);
  } finally {
    await connection.end();
  }
}

/** Partitions of both tables for so many days from the first one on; later rows lie in the default partition. */
export function createDays(days: number): string[] {
  return Array.from({ length: days }, (_, day) =>
    ['probe_result', 'probe_slot'].map(
      (table) => `
        create table ${table}_day_${day} partition of ${table}
        for values from (to_timestamp(${firstDayS + day * dayS})) to (to_timestamp(${firstDayS + (day + 1) * dayS}))`,
    ),
  ).flat();
}

/**
 * Every slot × task × agent × cell, from sets such as `generate_series(1, 3)`; `slot` is in seconds after the first day's
 * start. The status is `TIMEOUT` for one cell in 20 and `LOST` for one in 100.
 */
export function insertResults(sets: { slot: string; task: string; agent: string; cell: string }): string {
  return `
    insert into probe_result (scheduled_at, task_id, agent_id, cell, finished_at, device, domain, rtype, dns_server, status,
                              delay_ms, transport, truncated, tries, flags, answer, authority, additional)
    select to_timestamp(${firstDayS} + slot), task, 'agent-' || agent, cell,
           to_timestamp(${firstDayS} + slot) + interval '2 seconds',
           '{"country": "86", "province": "1", "city": "2", "carrier": "x"}',
           'n' || task * 9 + cell || '.example', 'A', '192.0.2.53',
           case when dice % 100 = 7 then 'LOST' when dice % 20 = 3 then 'TIMEOUT' else 'NOERROR' end,
           case when dice % 20 = 3 then null else 1.5 end, 'udp', false, 1, '{rd}',
           '[{"name": "n.example.", "ttl": 1, "rdclass": "IN", "rdtype": "A", "result": "192.0.2.1"}]', '[]', '[]'
    from ${sets.slot} slot, ${sets.task} task, ${sets.agent} agent, ${sets.cell} cell,
         lateral (select slot / 600 + task * 7 + agent * 13 + cell * 29 as dice) diced`;
}

/** Every slot × task; `slot` is in seconds after the first day's start. Each expires after a minute. */
export function insertSlots({ slot, task, cells }: { slot: string; task: string; cells: number }): string {
  return `
    insert into probe_slot (scheduled_at, task_id, planned_at, expires_at, agents, runs, cells, missed, skipped)
    select to_timestamp(${firstDayS} + slot), task, to_timestamp(${firstDayS} + slot + 0.25),
           to_timestamp(${firstDayS} + slot + 60), 2, 4, ${cells}, 0, '[]'
    from ${slot} slot, ${task} task`;
}
