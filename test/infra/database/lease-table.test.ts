// Claim, lease and fence on a real Postgres: who may do what with a row, and that no row is anybody's twice.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import {
  bury,
  claim,
  finish,
  postpone,
  release,
  renew,
  spendLapses,
} from '../../../infra/database/lease-table.ts';
import { claimRuns, leaseMs, session, toleranceMs, useLeases } from './use-leases.ts';

const { tables, idsOf, rowOf, reapIds, timesOf, claimOne, endLease } = useLeases();

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

  test('takes rows of anybody where nothing narrows the choice', async () => {
    const ids = [await tables.addRun({ agent_id: 'a' }), await tables.addRun({ agent_id: 'b' })];
    await tables.addRun({ dueIn: 1000 });
    const claimed = await idsOf(claim('probe_run', { limit: 10, leaseMs, claimant: session }));
    expect(claimed.toSorted()).toEqual(ids.toSorted());
  });

  test('takes what will be due within the time it looks ahead, the longest due first', async () => {
    const soon = await tables.addRun({ dueIn: 20_000 });
    const due = await tables.addRun({ dueIn: -1000 });
    await tables.addRun({ dueIn: 120_000 });
    // It is too late for this one, whenever it will be due.
    await tables.addRun({ dueIn: 20_000, expiresIn: -1 });
    const ahead = (limit: number) =>
      claim('probe_run', { limit, aheadMs: 60_000, leaseMs, claimant: session });
    expect(await idsOf(ahead(1))).toEqual([due]);
    expect(await idsOf(claimRuns(10))).toEqual([]);
    expect(await idsOf(ahead(10))).toEqual([soon]);
    expect(await idsOf(ahead(10))).toEqual([]);
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

describe('the holder', () => {
  test('makes its lease last longer', async () => {
    const held = await claimOne();
    await endLease(held);
    expect(await idsOf(renew('probe_run', [held], leaseMs))).toEqual([held.id]);
    expect(await reapIds()).toEqual([]);
  });

  test('hears which rows are still its own when it renews', async () => {
    const [kept, reaped, gone] = [await claimOne(), await claimOne(), await claimOne()];
    await endLease(reaped);
    await reapIds();
    await idsOf(finish('probe_run', [gone]));
    expect(await idsOf(renew('probe_run', [kept, reaped, gone], leaseMs))).toEqual([kept.id]);
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

describe('postpone', () => {
  test('makes rows ready again, each after its delay, with no lapse left', async () => {
    const [near, far] = [await claimOne(2), await claimOne()];
    const postponed = await idsOf(
      postpone('probe_run', [
        { claim: near, delayMs: 0 },
        { claim: far, delayMs: 3_600_000.5 },
      ]),
    );
    expect(postponed.toSorted()).toEqual([near.id, far.id].toSorted());
    const ready = { state: 0, attempt: 1, lapses: 0, claimed_by: null, lease_until: null };
    expect(await rowOf(near.id)).toMatchObject(ready);
    expect(await rowOf(far.id)).toMatchObject(ready);
    expect((await timesOf(far.id))?.dueIn).toBeGreaterThan(3_600_000 - toleranceMs);
    expect((await timesOf(far.id))?.dueIn).toBeLessThanOrEqual(3_600_000.5);
    expect(await idsOf(claimRuns(10))).toEqual([near.id]);
    expect(await rowOf(near.id)).toMatchObject({ state: 1, attempt: 2 });
  });

  test('leaves as much time between being due and being too late as there was, across a change of clocks', async () => {
    const termMs = 47 * 3_600_000;
    const id = await tables.addRun({ dueIn: -1000, expiresIn: termMs - 1000 });
    await idsOf(claimRuns(1));
    const terms = await tables.database.transact(async (db) => {
      // The day after has 23 hours there.
      await sql`set local time zone 'Europe/Berlin'`.execute(db);
      const delayMs = Date.parse('2027-03-27T12:00:00Z') - Date.now();
      await postpone('probe_run', [{ claim: { id, attempt: 1 }, delayMs }]).execute(db);
      const { rows } = await sql<{
        termMs: number;
      }>`select (extract(epoch from expires_at - due_at) * 1000)::float8 as "termMs" from probe_run`.execute(
        db,
      );
      return rows;
    });
    expect(terms).toEqual([{ termMs }]);
  });

  test('changes further columns with it, and returns the rows as they are then', async () => {
    const held = await claimOne();
    const statement = postpone('probe_run', [{ claim: held, delayMs: 60_000 }], sql`chunk = -work.chunk`);
    const [before] = await tables.query(sql<{ chunk: number }>`select chunk from probe_run`);
    const rows = await tables.query(
      sql`with later as (${statement}) select id, chunk, state, due_at > now() as is_later from later`,
    );
    expect(rows).toEqual([{ id: held.id, chunk: -(before?.chunk ?? 0), state: 0, is_later: true }]);
  });

  test('is welcome for a row that was reaped and not claimed again', async () => {
    const held = await claimOne();
    await endLease(held);
    await reapIds();
    expect(await idsOf(postpone('probe_run', [{ claim: held, delayMs: 60_000 }]))).toEqual([held.id]);
    expect(await rowOf(held.id)).toMatchObject({ state: 0, lapses: 0 });
    expect(await idsOf(claimRuns(1))).toEqual([]);
  });

  test('of nothing changes nothing', async () => {
    const held = await claimOne();
    expect(await idsOf(postpone('probe_run', []))).toEqual([]);
    expect(await rowOf(held.id)).toMatchObject({ state: 1 });
  });
});

test('what has spent its lapses is buried when its lease runs out, and not made ready again', async () => {
  const held = await claimOne();
  expect(await idsOf(spendLapses('probe_run', [held]))).toEqual([held.id]);
  expect(await idsOf(renew('probe_run', [held], leaseMs))).toEqual([held.id]);
  await endLease(held);
  expect(await reapIds()).toEqual([]);
  expect(await idsOf(bury('probe_run', 100))).toEqual([held.id]);
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
    postpone('probe_run', [{ claim: former, delayMs: 0 }]),
    spendLapses('probe_run', [former]),
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
