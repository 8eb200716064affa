// Runs that nobody finishes: back to the ready ones, or into the history with the reason why they have no outcome.
import { type RawBuilder, sql } from 'kysely';
import { maxRunCells } from '../../contracts/run.ts';
import type { Database } from '../../infra/database/database.ts';
import { bury, buryThese, listDead, reap } from '../../infra/database/lease-table.ts';
import { isolateFault } from '../../infra/schedule/isolate-fault.ts';

/** Rows that one statement takes. */
const batch = 1000;
/** Characters of a name that any payload of ours has; what is longer may not fit the indexes of results. */
const maxNameLength = 1024;
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

export type Burial = {
  runs: number;
  cells: { status: string; count: number }[];
  /** Runs among them whose results could not be stored, and why not. */
  abandoned: { id: string; fault: unknown }[];
};

/**
 * Deletes runs that are too late, or were lost too often, and stores a result for each of their cells that says so; a run
 * whose results cannot be stored is deleted without them. Resolves with the number of runs deleted, and of cells by
 * status.
 */
export async function buryRuns(database: Database): Promise<Burial> {
  try {
    return await storeDead(database, bury('probe_run', batch));
  } catch (error) {
    const dead = await database.run((db) => listDead('probe_run', batch).execute(db));
    const abandoned: Burial['abandoned'] = [];
    const burials = await isolateFault(
      dead.rows.map(({ id }) => id),
      error,
      {
        work: (part) => storeDead(database, buryThese('probe_run', part)),
        async giveUp(id, fault) {
          const { rows } = await database.run((db) => buryThese('probe_run', [id]).execute(db));
          if (rows.length > 0) abandoned.push({ id, fault });
        },
      },
    );
    return {
      runs: abandoned.length + burials.reduce((sum, { runs }) => sum + runs, 0),
      cells: burials.flatMap(({ cells }) => cells),
      abandoned,
    };
  }
}

async function storeDead(database: Database, dead: RawBuilder<unknown>): Promise<Burial> {
  const { rows } = await database.run((db) =>
    sql<{ runs: number; status: string | null; count: number }>`
      with dead as (${dead}),
      stored as (
        insert into probe_result (
          scheduled_at, task_id, agent_id, cell, device, domain, rtype, dns_server, status,
          truncated, tries, flags, answer, authority, additional)
        select dead.scheduled_at, dead.task_id, dead.agent_id,
          (payload->>'first_cell')::numeric + (server.n - 1) * (payload->>'stride')::numeric + (target.n - 1),
          jsonb_build_object('country', coalesce(agent.country, ''), 'province', coalesce(agent.province, ''),
            'city', coalesce(agent.city, ''), 'carrier', coalesce(agent.carrier, '')),
          left(target.value->>'domain', ${maxNameLength}), left(target.value->>'rtype', ${maxNameLength}),
          left(server.value, ${maxNameLength}),
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
    abandoned: [],
  };
}
