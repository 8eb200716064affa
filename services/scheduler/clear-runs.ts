// Runs that nobody finishes: back to the ready ones, or into the history with the reason why they have no outcome.
import { sql } from 'kysely';
import { maxRunCells } from '../../contracts/run.ts';
import type { Database } from '../../infra/database/database.ts';
import { bury, reap } from '../../infra/database/lease-table.ts';

/** Rows that one statement takes. */
const batch = 1000;
/** Above any number of a cell. */
const maxCellNumber = 10_000_000;
/**
 * Payloads whose cells can be told (contracts/run.ts), as a jsonpath. A run with any other one is deleted all the same:
 * a fault in the statement would keep every run from being buried.
 */
const hasCells = `
  $.servers.type() == "array" && $.servers.size() <= ${maxRunCells} && $.targets.type() == "array"
  && !exists($.servers[*] ? (@.type() != "string"))
  && !exists($.targets[*] ? (@.type() != "object"
    || !exists(@.domain ? (@.type() == "string")) || !exists(@.rtype ? (@.type() == "string"))))
  && $.first_cell.type() == "number" && $.first_cell.floor() == $.first_cell
  && $.first_cell >= 0 && $.first_cell <= ${maxCellNumber}
  && $.stride.type() == "number" && $.stride.floor() == $.stride
  && $.stride >= 1 && $.stride <= ${maxCellNumber}`;

/** Makes runs ready again whose lease ran out; resolves with their number. */
export async function reapRuns(database: Database): Promise<number> {
  const { rows } = await database.run((db) => reap('probe_run', batch).execute(db));
  return rows.length;
}

/**
 * Deletes runs that are too late, or were lost too often, and stores a result for each of their cells that says so.
 * Resolves with the number of runs deleted, and of cells by status.
 */
export async function buryRuns(
  database: Database,
): Promise<{ runs: number; cells: { status: string; count: number }[] }> {
  const { rows } = await database.run((db) =>
    sql<{ runs: number; status: string | null; count: number }>`
      with dead as (${bury('probe_run', batch)}),
      stored as (
        insert into probe_result (
          scheduled_at, task_id, agent_id, cell, device, domain, rtype, dns_server, status,
          truncated, tries, flags, answer, authority, additional)
        select dead.scheduled_at, dead.task_id, dead.agent_id,
          (payload->>'first_cell')::numeric + (server.n - 1) * (payload->>'stride')::numeric + (target.n - 1),
          jsonb_build_object('country', coalesce(agent.country, ''), 'province', coalesce(agent.province, ''),
            'city', coalesce(agent.city, ''), 'carrier', coalesce(agent.carrier, '')),
          target.value->>'domain', target.value->>'rtype', server.value,
          -- Whoever held it is gone; what nobody ever held has expired.
          case when dead.state = 1 or dead.lapses > 0 then 'LOST' else 'EXPIRED' end,
          false, 0, '{}', '[]', '[]', '[]'
        from dead
        left join agent on agent.agent_id = dead.agent_id
        cross join lateral (select case when payload @@ ${hasCells}::jsonpath then payload end as known) as sound
        cross join lateral jsonb_array_elements_text(known->'servers') with ordinality as server (value, n)
        cross join lateral jsonb_array_elements(known->'targets') with ordinality as target (value, n)
        on conflict do nothing
        returning status)
      select (select count(*) from dead)::integer as runs, status, count(status)::integer as count
      from (select 1) as one left join stored on true group by status`.execute(db),
  );
  return {
    runs: rows[0]?.runs ?? 0,
    cells: rows.flatMap(({ status, count }) => (status === null ? [] : [{ status, count }])),
  };
}

/** Removes sessions that were last heard of a day ago: their agents are not expected back any more. */
export async function removeOldSessions(database: Database): Promise<void> {
  await database.run((db) =>
    db.deleteFrom('agent_session').where('heartbeat_at', '<', sql<Date>`now() - interval '1 day'`).execute(),
  );
}
