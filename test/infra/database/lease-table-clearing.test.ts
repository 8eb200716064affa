// Rows that nobody finishes, on a real Postgres: ready again, or buried.
import { type Kysely, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { bury, buryThese, finish, listDead, maxLapses } from '../../../infra/database/lease-table.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { claimRuns, toleranceMs, useLeases } from './use-leases.ts';

const { tables, idsOf, rowOf, reapIds, timesOf } = useLeases();

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

  test('leaves rows to their former holder for as long as is said, and to others for a while after that', async () => {
    const id = await tables.addRun({ expiresIn: 10, leasedFor: -1000, attempt: 1 });
    const worthLong = await tables.addRun({ dueIn: -7000, expiresIn: 3_600_000, leasedFor: -1000 });
    expect((await reapIds(100, 60_000)).toSorted()).toEqual([id, worthLong].toSorted());
    expect(await idsOf(claimRuns(10))).toEqual([]);
    for (const each of [id, worthLong]) {
      const { dueIn = 0, expiresIn = 0 } = (await timesOf(each)) ?? {};
      expect(dueIn).toBeGreaterThan(60_000 - toleranceMs);
      expect(dueIn).toBeLessThanOrEqual(60_000);
      // Floats: their difference is off by a part of a microsecond.
      expect(Math.round(expiresIn - dueIn)).toBeGreaterThanOrEqual(10_000);
    }
    // By then it would have been too late all the same.
    expect((await timesOf(worthLong))?.expiresIn).toBeLessThanOrEqual(3_600_000);
    expect(await idsOf(finish('probe_run', [{ id, attempt: 1 }]))).toEqual([id]);
  });

  test('does not change when a row is due, unless that is said', async () => {
    const id = await tables.addRun({ dueIn: -7000, leasedFor: -1000 });
    await reapIds();
    expect((await timesOf(id))?.dueIn).toBeLessThanOrEqual(-7000);
    expect(await idsOf(claimRuns(1))).toEqual([id]);
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
