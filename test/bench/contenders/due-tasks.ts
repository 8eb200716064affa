// Tasks that are due in one second, as they would be of many more that run once a minute.
import type { Client } from 'pg';
import { z } from 'zod';
import { phaseOf } from '../../../infra/schedule/slot-grid.ts';

export const cycleMs = 60_000;
const secondMs = 1000;
const agents = ['agent-1', 'agent-2', 'agent-3', 'agent-4', 'agent-5'];
export const agentCount = agents.length;

/** The ids of `count` tasks for every second of the minute in which their slots lie. */
export function chooseIds(count: number): number[][] {
  const seconds = cycleMs / secondMs;
  const bySecond: number[][] = Array.from({ length: seconds }, () => []);
  for (let id = 1, full = 0; full < seconds; id += 1) {
    const ids = bySecond[Math.floor(phaseOf(String(id), cycleMs) / secondMs)] ?? [];
    if (ids.length === count) continue;
    ids.push(id);
    if (ids.length === count) full += 1;
  }
  return bySecond;
}

/** Agents heard of a moment ago. */
export async function registerAgents(client: Client): Promise<void> {
  await client.query('delete from agent');
  await client.query(
    `with registered as (
       insert into agent (agent_id, country, province, city, carrier, groups, resolvers, version)
       select id, '86', '440000', '440400', 'CT', '{}', '{192.0.2.53}', '1' from unnest($1::text[]) id
       returning agent_id)
     insert into agent_session (session_id, agent_id) select gen_random_uuid(), agent_id from registered`,
    [agents],
  );
}

/** Tasks of two names and one server, with their first slot in the second that begins at `secondStartMs`. */
export async function addDueTasks(client: Client, ids: number[], secondStartMs: number): Promise<void> {
  await client.query('truncate probe_task, probe_run, probe_slot');
  await insertTasks(
    client,
    ids,
    ids.map((id) => secondStartMs + (phaseOf(String(id), cycleMs) % secondMs)),
  );
}

/** Tasks that are not due within the hour to come. */
export async function addWaitingTasks(client: Client, count: number): Promise<void> {
  await client.query('truncate probe_task, probe_run, probe_slot');
  const ids = Array.from({ length: count }, (_, index) => index + 1);
  const { rows } = await client.query('select now()');
  const fromMs = Number(z.object({ now: z.date() }).parse(rows[0]).now) + 3600_000;
  await insertTasks(
    client,
    ids,
    ids.map((id) => fromMs + phaseOf(String(id), cycleMs)),
  );
  // As it is after an hour of operation.
  await client.query('vacuum analyze probe_task');
}

async function insertTasks(client: Client, ids: number[], nextAtMs: number[]): Promise<void> {
  await client.query(
    `insert into probe_task
       (task_id, type, service_type, cycle, probe_data, target, status, pinned, next_at)
     overriding system value
     select task_id, 'dns', 'dnsMonitor', ${cycleMs / 1000}, '{"dns_servers": ["192.0.2.53"]}',
       jsonb_build_array(
         jsonb_build_object('type', 'domain', 'rtype', 'A', 'data', 'www' || task_id || '.example.com'),
         jsonb_build_object('type', 'domain', 'rtype', 'AAAA', 'data', 'www' || task_id || '.example.com')),
       1, false, to_timestamp(next_at / 1000.0)
     from unnest($1::bigint[], $2::float8[]) as task (task_id, next_at)`,
    [ids, nextAtMs],
  );
}

/**
 * The same tasks are due again for the same slots, all at once: as if nobody had planned them while their second went
 * by.
 */
export async function makeDueAgain(client: Client): Promise<void> {
  await client.query('begin');
  await client.query('truncate probe_run, probe_slot');
  await client.query('update probe_task set next_at = last_at, last_at = null');
  await client.query('commit');
}

/** What is wrong with the slots and runs of the tasks that were due in this second; empty when nothing is. */
export async function findPlanFaults(client: Client, secondStartMs: number): Promise<string[]> {
  const { rows } = await client.query(
    `with of_slots as (
       select task.task_id, count(slot.task_id) as slots, min(slot.runs) as runs, min(slot.agents) as agents,
         min(slot.cells) as cells, max(slot.missed) as missed, min(slot.scheduled_at) as scheduled_at,
         bool_and(slot.skipped = '[]') as is_whole
       from probe_task task left join probe_slot slot using (task_id) group by task.task_id),
     of_runs as (
       select task_id, scheduled_at, count(*) as runs, count(distinct agent_id) as agents,
         bool_and(payload = jsonb_build_object('servers', '["192.0.2.53"]'::jsonb, 'targets', jsonb_build_array(
           jsonb_build_object('domain', 'www' || task_id || '.example.com', 'rtype', 'A'),
           jsonb_build_object('domain', 'www' || task_id || '.example.com', 'rtype', 'AAAA')),
           'first_cell', 0, 'stride', 2)) as is_right
       from probe_run group by task_id, scheduled_at)
     select format('task %s: %s; %s', task_id, to_json(of_slots), to_json(of_runs)) as fault
     from of_slots full join of_runs using (task_id, scheduled_at)
     where (of_slots.slots = 1 and of_slots.runs = $1 and of_slots.agents = $1 and of_slots.cells = 2 * $1
       and of_slots.missed = 0 and of_slots.is_whole
       and scheduled_at >= to_timestamp($2) and scheduled_at < to_timestamp($2 + 1)
       and of_runs.runs = $1 and of_runs.agents = $1 and of_runs.is_right) is not true
     limit 3`,
    [agentCount, secondStartMs / secondMs],
  );
  const faults = z.array(z.object({ fault: z.string() })).parse(rows);
  return faults.map(({ fault }) => fault);
}
