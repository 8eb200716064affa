// The statements of lease-table.ts on runs of a real Postgres, and what they left there.
import { randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { type Claim, claim, reap } from '../../../infra/database/lease-table.ts';
import { useRecurringTables } from '../../helpers/recurring-tables.ts';

export const session = randomUUID();
export const leaseMs = 30_000;
/** What a test takes until it looks. */
export const toleranceMs = 5000;

type RunRow = {
  id: string;
  state: number;
  attempt: number;
  lapses: number;
  claimed_by: string | null;
  lease_until: Date | null;
};

export function claimRuns(limit: number, agentId = 'a', claimant = session): RawBuilder<unknown> {
  const where = sql<boolean>`agent_id = ${agentId}`;
  return claim('probe_run', { where, limit, leaseMs, claimant });
}

/** For a file of tests. */
export function useLeases() {
  const tables = useRecurringTables();

  /** Ids of the rows that a statement returns. */
  async function idsOf(statement: RawBuilder<unknown>): Promise<string[]> {
    const rows = await tables.query(
      sql<{ id: string }>`with changed as (${statement}) select id from changed`,
    );
    return rows.map(({ id }) => id);
  }

  async function rowOf(id: string): Promise<RunRow | undefined> {
    const [row] = await tables.query(sql<RunRow>`select * from probe_run where id = ${id}`);
    return row;
  }

  /** `reap` is a statement with a plan of its own and no `with`. */
  async function reapIds(limit = 100, delayMs = 0): Promise<string[]> {
    return (await tables.query(reap('probe_run', limit, { delayMs }))).map(({ id }) => id);
  }

  /** Milliseconds from now until a row is due, and until it is too late. */
  async function timesOf(id: string): Promise<{ dueIn: number; expiresIn: number } | undefined> {
    const [row] = await tables.query(sql<{ dueIn: number; expiresIn: number }>`
      select (extract(epoch from due_at - now()) * 1000)::float8 as "dueIn",
        (extract(epoch from expires_at - now()) * 1000)::float8 as "expiresIn"
      from probe_run where id = ${id}`);
    return row;
  }

  /** A claimed row, and its claim. */
  async function claimOne(lapses = 0): Promise<Claim> {
    const id = await tables.addRun({ lapses });
    await idsOf(claimRuns(1));
    return { id, attempt: 1 };
  }

  async function endLease({ id }: Claim): Promise<void> {
    await tables.query(sql`update probe_run set lease_until = now() - interval '1 ms' where id = ${id}`);
  }

  return { tables, idsOf, rowOf, reapIds, timesOf, claimOne, endLease };
}
