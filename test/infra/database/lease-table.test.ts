// Claim, lease and fence on a real Postgres: who may do what with a row, and that no row is anybody's twice.
import { randomUUID } from 'node:crypto';
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import {
  bury,
  buryThese,
  type Claim,
  claim,
  finish,
  listDead,
  maxLapses,
  reap,
  release,
  renew,
} from '../../../infra/database/lease-table.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { useRecurringTables } from '../../helpers/recurring-tables.ts';

const tables = useRecurringTables();
const session = randomUUID();
const leaseMs = 30_000;

type RunRow = {
  id: string;
  state: number;
  attempt: number;
  lapses: number;
  claimed_by: string | null;
  lease_until: Date | null;
};

function claimRuns(limit: number, agentId = 'a', claimant = session): RawBuilder<unknown> {
  const where = sql<boolean>`agent_id = ${agentId}`;
  return claim('probe_run', { where, limit, leaseMs, claimant });
}

/** Ids of the rows that a statement returns. */
async function idsOf(statement: RawBuilder<unknown>): Promise<string[]> {
  const rows = await tables.query(sql<{ id: string }>`with changed as (${statement}) select id from changed`);
  return rows.map(({ id }) => id);
}

async function rowOf(id: string): Promise<RunRow | undefined> {
  const [row] = await tables.query(sql<RunRow>`select * from probe_run where id = ${id}`);
  return row;
}

/** `reap` is a statement with a plan of its own and no `with`. */
async function reapIds(limit = 100): Promise<string[]> {
  return (await tables.query(reap('probe_run', limit))).map(({ id }) => id);
}

describe('claim', () => {
  test('takes what has been due the longest, up to the limit', async () => {
    const late = await tables.addRun({ dueIn: -1000 });
    const oldest = await tables.addRun({ dueIn: -3000 });
    const older = await tables.addRun({ dueIn: -2000 });
    expect((await idsOf(claimRuns(2))).toSorted()).toEqual([oldest, older].toSorted());
    expect(await idsOf(claimRuns(2))).toEqual([late]);
    expect(await idsOf(claimRuns(2))).toEqual([]);
  });

  test('leaves alone what is not due, too late, another’s, or held', async () => {
    await tables.addRun({ dueIn: 1000 });
    await tables.addRun({ expiresIn: -1 });
    await tables.addRun({ agent_id: 'b' });
    await tables.addRun({ leasedFor: 1000 });
    // A lease that ran out is for `reap` to see.
    await tables.addRun({ leasedFor: -1000 });
    expect(await idsOf(claimRuns(10))).toEqual([]);
  });

  test('writes down who holds it, until when, and a new token', async () => {
    const id = await tables.addRun({ attempt: 4 });
    await idsOf(claimRuns(1));
    const row = await rowOf(id);
    expect(row).toMatchObject({ state: 1, attempt: 5, lapses: 0, claimed_by: session });
    const [left] = await tables.query(
      sql<{
        ms: number;
      }>`select (extract(epoch from lease_until - now()) * 1000)::float8 as ms from probe_run`,
    );
    expect(left?.ms).toBeGreaterThan(leaseMs - 5000);
    expect(left?.ms).toBeLessThanOrEqual(leaseMs);
  });

  test('by many at once gives each row to exactly one', async () => {
    const ids: string[] = [];
    for (let index = 0; index < 150; index += 1) ids.push(await tables.addRun({ dueIn: -index }));
    const claimedBy = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const mine: string[] = [];
        for (;;) {
          const claimed = await idsOf(claimRuns(7));
          if (claimed.length === 0) return mine;
          mine.push(...claimed);
        }
      }),
    );
    expect(claimedBy.flat().toSorted()).toEqual(ids.toSorted());
    const [sum] = await tables.query(
      sql<{ attempts: string }>`select sum(attempt) as attempts from probe_run`,
    );
    expect(sum?.attempts).toBe('150');
  });

  test('passes over rows that another claim has locked, without waiting for it', async () => {
    for (let index = 0; index < 6; index += 1) await tables.addRun();
    await tables.database.transact(async (db) => {
      const first = await claimRuns(4).execute(db);
      expect(first.rows).toHaveLength(4);
      expect(await idsOf(claimRuns(4))).toHaveLength(2);
    });
  });
});

/** A claimed row, and its claim. */
async function claimOne(lapses = 0): Promise<Claim> {
  const id = await tables.addRun({ lapses });
  await idsOf(claimRuns(1));
  return { id, attempt: 1 };
}

async function endLease({ id }: Claim): Promise<void> {
  await tables.query(sql`update probe_run set lease_until = now() - interval '1 ms' where id = ${id}`);
}

describe('the holder', () => {
  test('makes its lease last longer', async () => {
    const held = await claimOne();
    await endLease(held);
    expect(await idsOf(renew('probe_run', [held], leaseMs))).toEqual([held.id]);
    expect(await reapIds()).toEqual([]);
  });

  test('gives a row back as it was, and no lapse is counted', async () => {
    const held = await claimOne(1);
    expect(await idsOf(release('probe_run', [held]))).toEqual([held.id]);
    expect(await rowOf(held.id)).toMatchObject({
      state: 0,
      attempt: 1,
      lapses: 1,
      claimed_by: null,
      lease_until: null,
    });
    expect(await idsOf(claimRuns(1))).toEqual([held.id]);
  });

  test('finishes many rows at once, each of them once', async () => {
    const claims = [await claimOne(), await claimOne(), await claimOne()];
    const ids = claims.map(({ id }) => id);
    expect((await idsOf(finish('probe_run', claims.slice(1)))).toSorted()).toEqual(ids.slice(1).toSorted());
    expect(await idsOf(finish('probe_run', claims))).toEqual(ids.slice(0, 1));
    expect(await idsOf(finish('probe_run', claims))).toEqual([]);
  });

  test('finishes a row whose lease ran out as long as nobody claimed it again', async () => {
    const held = await claimOne();
    await endLease(held);
    expect(await reapIds()).toEqual([held.id]);
    expect(await idsOf(finish('probe_run', [held]))).toEqual([held.id]);
  });

  test('neither renews nor gives back what was reaped', async () => {
    const held = await claimOne();
    await endLease(held);
    await reapIds();
    expect(await idsOf(renew('probe_run', [held], leaseMs))).toEqual([]);
    expect(await idsOf(release('probe_run', [held]))).toEqual([]);
    expect(await rowOf(held.id)).toMatchObject({ state: 0, lapses: 1 });
  });
});

test('whoever comes after another claim changes nothing', async () => {
  const former = await claimOne();
  await endLease(former);
  await reapIds();
  expect(await idsOf(claimRuns(1, 'a', randomUUID()))).toEqual([former.id]);
  const before = await rowOf(former.id);
  for (const statement of [
    renew('probe_run', [former], 2 * leaseMs),
    release('probe_run', [former]),
    finish('probe_run', [former]),
  ]) {
    expect(await idsOf(statement)).toEqual([]);
  }
  expect(await rowOf(former.id)).toEqual(before);
  expect(await idsOf(finish('probe_run', [{ id: former.id, attempt: 2 }]))).toEqual([former.id]);
});

test('tokens of one row do not count for another', async () => {
  const one = await tables.addRun({ attempt: 1, leasedFor: 1000 });
  const other = await tables.addRun({ attempt: 2, leasedFor: 1000 });
  const swapped = [
    { id: one, attempt: 2 },
    { id: other, attempt: 1 },
  ];
  expect(await idsOf(finish('probe_run', swapped))).toEqual([]);
  expect(await idsOf(finish('probe_run', []))).toEqual([]);
});

describe('reap', () => {
  test('makes rows ready again whose lease ran out, those that ran out first first', async () => {
    const late = await tables.addRun({ leasedFor: -1000, attempt: 3 });
    const earlier = await tables.addRun({ leasedFor: -2000 });
    await tables.addRun({ leasedFor: 1000 });
    await tables.addRun();
    expect(await reapIds(1)).toEqual([earlier]);
    expect(await reapIds()).toEqual([late]);
    expect(await rowOf(late)).toMatchObject({
      state: 0,
      attempt: 3,
      lapses: 1,
      claimed_by: null,
      lease_until: null,
    });
    expect(await reapIds()).toEqual([]);
  });

  test('by several at once counts each lapse once', async () => {
    for (let index = 0; index < 40; index += 1) await tables.addRun({ leasedFor: -index - 1 });
    const reaped = (await Promise.all([reapIds(), reapIds(), reapIds(), reapIds()])).flat();
    // What one had locked, another passed over.
    reaped.push(...(await reapIds()));
    expect(new Set(reaped).size).toBe(40);
    expect(reaped).toHaveLength(40);
    const [sum] = await tables.query(sql<{ lapses: string }>`select sum(lapses) as lapses from probe_run`);
    expect(sum?.lapses).toBe('40');
  });
});

describe('bury', () => {
  async function buryRows(limit = 100): Promise<{ id: string; state: number }[]> {
    return tables.query(
      sql<{
        id: string;
        state: number;
      }>`with dead as (${bury('probe_run', limit)}) select id, state from dead`,
    );
  }

  test('deletes what lapsed as often as is forgiven, and nothing before', async () => {
    const id = await tables.addRun();
    const endings: number[] = [];
    for (let lapse = 1; lapse <= maxLapses; lapse += 1) {
      expect(await idsOf(claimRuns(1))).toEqual([id]);
      await tables.query(sql`update probe_run set lease_until = now() - interval '1 ms'`);
      endings.push((await reapIds()).length);
      if (lapse < maxLapses) expect(await buryRows()).toEqual([]);
    }
    expect(endings).toEqual([1, 1, 0]);
    expect(await buryRows()).toEqual([{ id, state: 1 }]);
    expect(await rowOf(id)).toBeUndefined();
  });

  test('deletes what is too late and not held, the latest first', async () => {
    const late = await tables.addRun({ expiresIn: -1 });
    const later = await tables.addRun({ expiresIn: -2000, lapses: 2 });
    const held = await tables.addRun({ expiresIn: -1, leasedFor: 1000 });
    const fresh = await tables.addRun();
    expect(await buryRows(1)).toEqual([{ id: later, state: 0 }]);
    expect(await buryRows()).toEqual([{ id: late, state: 0 }]);
    expect(await buryRows()).toEqual([]);
    expect([await rowOf(held), await rowOf(fresh)]).toMatchObject([{ id: held }, { id: fresh }]);
  });

  test('leaves a row that was just reaped to its holder for a while, though it is too late', async () => {
    const id = await tables.addRun({ expiresIn: -1000, leasedFor: -1, attempt: 1 });
    expect(await buryRows()).toEqual([]);
    expect(await reapIds()).toEqual([id]);
    expect(await buryRows()).toEqual([]);
    expect(await idsOf(finish('probe_run', [{ id, attempt: 1 }]))).toEqual([id]);
  });

  test('lists what it would delete, and deletes of these only what is dead by then', async () => {
    const late = await tables.addRun({ expiresIn: -1000 });
    const later = await tables.addRun({ expiresIn: -2000 });
    const lost = await tables.addRun({ leasedFor: -1, lapses: maxLapses - 1 });
    const lapsed = await tables.addRun({ leasedFor: -1, expiresIn: -1 });
    const held = await tables.addRun({ leasedFor: 1000, expiresIn: -1, lapses: maxLapses - 1 });
    const fresh = await tables.addRun();
    const listed = (await tables.query(listDead('probe_run', 100))).map(({ id }) => id);
    expect(listed).toEqual([later, late, lost]);
    expect((await tables.query(listDead('probe_run', 1))).map(({ id }) => id)).toEqual([later, lost]);
    expect(await idsOf(buryThese('probe_run', [late, lapsed, held, fresh]))).toEqual([late]);
    expect((await idsOf(buryThese('probe_run', listed))).toSorted()).toEqual([later, lost].toSorted());
    expect(await tables.query(sql`select from probe_run`)).toHaveLength(3);
  });

  test('does not wait for whoever finishes a row at that moment', async () => {
    const id = await tables.addRun({ expiresIn: -1, attempt: 1 });
    await tables.database.transact(async (db: Kysely<Tables>) => {
      await finish('probe_run', [{ id, attempt: 1 }]).execute(db);
      expect(await buryRows()).toEqual([]);
    });
    expect(await buryRows()).toEqual([]);
  });
});
