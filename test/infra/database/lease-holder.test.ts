// The loop of a holder on a real Postgres: what it claims, and how it keeps its leases.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { until } from '../../helpers/test-client.ts';
import { createHeld, hasTaken, useHolders } from './use-holders.ts';

const { tables, createWork, hold, addRuns, readRuns, noRunLeft } = useHolders();

describe('claims', () => {
  test('by two holders give each row to one of them, and all are done', async () => {
    const ids = await addRuns(60);
    const both = [createHeld({ maxHeld: 7 }), createHeld({ maxHeld: 7 })];
    for (const held of both) {
      held.finish(...ids);
      const holder = hold(held);
      const take = held.work.take;
      held.work.take = (item, sentAtMs) => {
        take(item, sentAtMs);
        holder.storeSoon();
      };
      await holder.start();
    }
    await noRunLeft();
    const taken = both.flatMap((held) => held.taken.map(({ id }) => id));
    expect(taken.toSorted()).toEqual(ids.toSorted());
  });

  test('come at once when told of rows, without waiting for the next look', async () => {
    const held = createHeld();
    const holder = hold(held);
    await holder.start();
    const [id] = await addRuns(1);
    holder.wake();
    await hasTaken(held, 1);
    expect(held.taken).toMatchObject([{ id }]);
  });

  test('come when the next row is due, without being told', async () => {
    const held = createHeld();
    await addRuns(1);
    const later = await tables.addRun({ dueIn: 300 });
    await hold(held).start();
    await hasTaken(held, 2);
    expect(held.taken.at(1)?.id).toBe(later);
  });

  test('come again and again though nobody tells of any', async () => {
    const held = createHeld();
    let claimCount = 0;
    const claimNone = async () => {
      claimCount += 1;
      return { items: [], nextDueMs: undefined };
    };
    await hold(held, { work: { claim: claimNone }, limits: { pollMs: 10 } }).start();
    await until(async () => claimCount > 3);
  });

  test('pause while there is no room, and go on when some of what is held is stored', async () => {
    const ids = await addRuns(5);
    const held = createHeld({ maxHeld: 2 });
    const holder = hold(held);
    await holder.start();
    await hasTaken(held, 2);
    holder.wake();
    expect((await readRuns()).filter(({ state }) => state === 1)).toHaveLength(2);
    held.finish(...ids);
    holder.storeSoon();
    await noRunLeft();
  });

  test('say when they were sent: before the database saw them', async () => {
    await addRuns(1);
    const held = createHeld();
    const work = createWork();
    let calledAt = 0;
    const holder = hold(held, {
      work: {
        claim(limit) {
          calledAt = performance.now();
          return work.claim(limit);
        },
      },
    });
    await holder.start();
    await hasTaken(held, 1);
    expect(held.taken[0]?.sentAtMs).toBeLessThanOrEqual(calledAt);
    expect(held.taken[0]?.sentAtMs).toBeGreaterThan(calledAt - 1000);
  });
});

describe('leases', () => {
  test('are renewed, and the holder hears which are still its own', async () => {
    const [kept = '', stolen = ''] = await addRuns(2);
    const held = createHeld();
    await hold(held, { limits: { renewMs: 10 } }).start();
    await hasTaken(held, 2);
    const leaseEnd = async () => (await readRuns())[0]?.lease_until?.getTime() ?? Number.NaN;
    const first = await leaseEnd();
    await until(async () => (await leaseEnd()) > first);
    await tables.query(sql`update probe_run set attempt = attempt + 1 where id = ${stolen}`);
    await until(async () => held.renewals.some(({ lost }) => lost.length > 0));
    const { sentAtMs, ...last } = held.renewals.at(-1) ?? { sentAtMs: Number.NaN };
    expect(last).toEqual({ kept: [kept], lost: [stolen] });
    expect(sentAtMs).toBeLessThanOrEqual(performance.now());
    expect(sentAtMs).toBeGreaterThan(held.taken[0]?.sentAtMs ?? Number.NaN);
  });

  test('last while what is under way settles at a stop', async () => {
    await addRuns(1);
    const held = createHeld();
    const settled = Promise.withResolvers<void>();
    held.settleWith(settled.promise);
    const holder = hold(held, { limits: { renewMs: 10 } });
    await holder.start();
    await hasTaken(held, 1);
    const stopping = holder.stop();
    const before = held.renewals.length;
    await until(async () => held.renewals.length > before + 2);
    settled.resolve();
    await stopping;
    expect(await readRuns()).toMatchObject([{ state: 0, lapses: 0 }]);
  });
});
