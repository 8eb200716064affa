// The loop of a holder on a real Postgres: how it stores what is done, and what a stop leaves behind.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { LeaseWork } from '../../../infra/database/lease-holder.ts';
import { until } from '../../helpers/test-client.ts';
import { createHeld, hasTaken, type Item, useHolders } from './use-holders.ts';

const { tables, createWork, hold, addRuns, readRuns, noRunLeft } = useHolders();

/** A statement that fails with this code, for batches that have this row. */
function refuse(id: string, code: string): Partial<LeaseWork<Item, Item>> {
  const work = createWork();
  return {
    async finish(done) {
      if (done.some((each) => each.claim.id === id)) {
        await tables.query(sql`do ${sql.lit(`begin raise 'refused' using errcode = '${code}'; end`)}`);
      }
      await work.finish(done);
    },
  };
}

describe('what is done', () => {
  test('is dropped where the database will never take it, and the rest is stored', async () => {
    const ids = await addRuns(9);
    const [bad = ''] = ids;
    const held = createHeld();
    const holder = hold(held, { work: refuse(bad, '22003') });
    await holder.start();
    await hasTaken(held, 9);
    held.finish(...ids);
    holder.storeSoon();
    await until(async () => held.heldIds().length === 0);
    expect(await readRuns()).toMatchObject([{ id: bad, state: 1 }]);
    const text = 'the results of a run cannot be stored';
    expect(tables.logged).toContainEqual(expect.objectContaining({ level: 50, run: bad, msg: text }));
  });

  test('is put off where the database does not take it for now, and the rest is stored', async () => {
    const ids = await addRuns(9);
    const [stuck = ''] = ids;
    const held = createHeld();
    const holder = hold(held, { work: refuse(stuck, 'XX000') });
    await holder.start();
    await hasTaken(held, 9);
    held.finish(...ids);
    holder.storeSoon();
    await until(async () => held.heldIds().length === 1);
    expect(held.putOff).toEqual([stuck]);
    expect(await readRuns()).toMatchObject([{ id: stuck, state: 1 }]);
  });

  test('is kept while the database is away, and stored when it is back', async () => {
    const ids = await addRuns(3);
    const held = createHeld();
    const work = createWork();
    let failures = 0;
    const holder = hold(held, {
      work: {
        async finish(done) {
          if (failures < 3) {
            failures += 1;
            throw new ProbeTaskError('UNAVAILABLE', 'the database is away');
          }
          await work.finish(done);
        },
      },
    });
    await holder.start();
    await hasTaken(held, 3);
    held.finish(...ids);
    holder.storeSoon();
    await noRunLeft();
    expect(failures).toBe(3);
    expect(held.putOff).toEqual([]);
  });
});

describe('a stop', () => {
  test('stores what is done by the end of the settling, and hands back the rest', async () => {
    const [done = '', left = ''] = await addRuns(2);
    const held = createHeld();
    const holder = hold(held);
    await holder.start();
    await hasTaken(held, 2);
    const settled = Promise.withResolvers<void>();
    held.settleWith(settled.promise);
    const stopping = holder.stop();
    held.finish(done);
    settled.resolve();
    await stopping;
    expect(await readRuns()).toMatchObject([{ id: left, state: 0, lapses: 0, attempt: 1 }]);
    expect(tables.logged).toContainEqual(expect.objectContaining({ runs: 1, msg: 'runs handed back' }));
    await addRuns(1);
    holder.wake();
    await holder.start();
    await holder.stop();
    expect((await readRuns()).map(({ state }) => state)).toEqual([0, 0]);
  });

  test('gives back what a claim under way gets', async () => {
    const [id] = await addRuns(1);
    const held = createHeld();
    const work = createWork();
    const answer = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const holder = hold(held, {
      work: {
        async claim(limit) {
          const claimed = await work.claim(limit);
          asked.resolve();
          await answer.promise;
          return claimed;
        },
      },
    });
    await holder.start();
    await asked.promise;
    const stopping = holder.stop();
    answer.resolve();
    await stopping;
    expect(held.taken).toEqual([]);
    expect(await readRuns()).toMatchObject([{ id, state: 0, lapses: 0, attempt: 1 }]);
  });

  test('takes no longer than it may though the database does not answer', async () => {
    const ids = await addRuns(1);
    const held = createHeld();
    const holder = hold(held, { limits: { stopLimitMs: 300 } });
    await holder.start();
    await hasTaken(held, 1);
    held.finish(...ids);
    await tables.database.transact(async (db) => {
      await sql`lock table probe_run in access exclusive mode`.execute(db);
      const startedAt = performance.now();
      await holder.stop();
      const tookMs = performance.now() - startedAt;
      expect(tookMs).toBeGreaterThan(290);
      expect(tookMs).toBeLessThan(5000);
    });
    // What was on its way arrives all the same.
    await noRunLeft();
  });
});
