// What a replica reads of runs, and how it holds them, on a real Postgres.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Database } from '../../../../infra/database/database.ts';
import { reapRuns } from '../../../../services/crontab/run/clear-runs.ts';
import { createRunStore, leaseMs, messageIdOf } from '../../../../services/crontab/run/run-store.ts';
import { done, failed, finished, scheduledAt, useRunStore } from './use-run-store.ts';

const mine = useRunStore();
const { tables, claimOne } = mine;

describe('claim', () => {
  test('takes runs that are due, with the task as it is now', async () => {
    const taskId = await tables.addTask({
      name: '汉字 "quoted"\\',
      method: 'rpc',
      url: '127.0.0.1:9/Arith.Mul',
      body: '{"a": "\\\\ 😀"}',
      body_type: 2,
      resp_regexp: '^\\d+$',
      redo_param: '2 4.5 8',
      timeout_ms: 1500,
      secret: 'whsec_x',
      delivery: 'at_most_once',
    });
    const id = await tables.addRun({
      taskId,
      scheduledAt,
      target: 'tcp://127.0.0.1:9',
      try: 1,
      lapses: 2,
      runType: 3,
    });
    const before = await tables.readNow();
    const { runs, nextDueMs, nowMs } = await mine.store.claim(10, []);
    expect(runs).toEqual([
      {
        claim: { id, attempt: 1 },
        taskId,
        target: 'tcp://127.0.0.1:9',
        scheduledAt,
        dueAt: expect.any(Number),
        expiresAt: expect.any(Number),
        runType: 3,
        try: 1,
        lapses: 2,
        task: {
          name: '汉字 "quoted"\\',
          isEnabled: true,
          callback: {
            method: 'rpc',
            url: '127.0.0.1:9/Arith.Mul',
            body: '{"a": "\\\\ 😀"}',
            bodyType: 2,
            respRegexp: '^\\d+$',
            timeoutMs: 1500,
            secret: 'whsec_x',
            messageId: messageIdOf(id),
          },
          retryDelaysMs: [2000, 4500, 8000],
          isAtMostOnce: true,
        },
      },
    ]);
    const [stored] = await tables.readRuns();
    expect(stored).toMatchObject({ state: 1, attempt: 1, claimed_by: mine.replica });
    expect(runs[0]?.dueAt).toBeCloseTo(Number(stored?.due_at), -1);
    expect(nextDueMs).toBeUndefined();
    expect(nowMs).toBeGreaterThanOrEqual(before);
    expect(nowMs).toBeLessThan((await tables.readNow()) + 1);
  });

  test('tells of a task without secret and retries that it has none', async () => {
    const run = await claimOne();
    expect(run.task).toMatchObject({ callback: { secret: null }, retryDelaysMs: [], isAtMostOnce: false });
  });

  test('takes a run of a task that was deleted, and says so', async () => {
    const id = await tables.addRun({ taskId: '999999' });
    expect((await mine.store.claim(10, [])).runs).toMatchObject([
      { claim: { id }, taskId: '999999', task: undefined },
    ]);
  });

  test('takes runs up to half a second before they are due, and tells when the next one can be had', async () => {
    await tables.addTask();
    const idle = await mine.store.claim(10, []);
    expect(idle).toMatchObject({ runs: [], nextDueMs: undefined });
    expect(idle.nowMs).toBeGreaterThan(0);
    const soon = await tables.addRun({ dueIn: 450 });
    await tables.addRun({ dueIn: 40_000 });
    await tables.addRun({ dueIn: 20_000 });
    const { runs, nextDueMs } = await mine.store.claim(10, []);
    expect(runs.map(({ claim }) => claim.id)).toEqual([soon]);
    expect(nextDueMs).toBeGreaterThan(10_000);
    expect(nextDueMs).toBeLessThanOrEqual(20_000 - 500);
  });

  test('leaves out targets of which enough is held', async () => {
    for (const target of ['a', 'b "x"', 'c,{d}']) await tables.addRun({ target });
    const rest = await mine.store.claim(10, ['a', 'c,{d}', 'not there']);
    expect(rest.runs.map(({ target }) => target)).toEqual(['b "x"']);
    const { runs } = await mine.store.claim(10, []);
    expect(runs.map(({ target }) => target).toSorted()).toEqual(['a', 'c,{d}']);
  });

  test('takes no more than asked for, the longest due first, and nothing that is held or too late', async () => {
    await tables.addRun({ dueIn: -100 });
    const older = await tables.addRun({ dueIn: -2000 });
    const oldest = await tables.addRun({ dueIn: -3000 });
    await tables.addRun({ dueIn: -4000, expiresIn: -1 });
    await tables.addRun({ dueIn: -4000, leasedFor: 1000 });
    const { runs } = await mine.store.claim(2, []);
    expect(runs.map(({ claim }) => claim.id).toSorted()).toEqual([older, oldest].toSorted());
  });

  test('by many at once gives each run to exactly one', async () => {
    for (let index = 0; index < 120; index += 1) await tables.addRun();
    const claimed = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const taken: string[] = [];
        for (;;) {
          const { runs } = await mine.createOther().claim(7, []);
          if (runs.length === 0) return taken;
          taken.push(...runs.map(({ claim }) => claim.id));
        }
      }),
    );
    expect(claimed.flat()).toHaveLength(120);
    expect(new Set(claimed.flat()).size).toBe(120);
  });
});

test('renew and release do to the lease what they say, and renew tells of which it could', async () => {
  const run = await claimOne();
  await tables.query(sql`update crontab_run set lease_until = now()`);
  expect(
    await mine.store.renew([run.claim, { id: run.claim.id, attempt: 7 }, { id: '1', attempt: 1 }]),
  ).toEqual([run.claim.id]);
  const [left] = await tables.query(
    sql<{
      ms: number;
    }>`select (extract(epoch from lease_until - now()) * 1000)::float8 as ms from crontab_run`,
  );
  expect(left?.ms).toBeGreaterThan(leaseMs - 5000);
  expect(left?.ms).toBeLessThanOrEqual(leaseMs);
  await mine.store.release([run.claim]);
  expect(await tables.readRuns()).toMatchObject([{ state: 0, lapses: 0, attempt: 1 }]);
  expect(await mine.store.renew([run.claim])).toEqual([]);
});

describe('beginOnly', () => {
  test('has the run buried instead of called once more when its lease runs out', async () => {
    const run = await claimOne();
    expect(await mine.store.beginOnly(run.claim)).toBe(true);
    await tables.query(sql`update crontab_run set lease_until = now() - interval '1 s'`);
    expect(await reapRuns(tables.database)).toBe(0);
    expect((await mine.store.claim(10, [])).runs).toEqual([]);
    expect(await mine.store.finish([finished(run, done)], scheduledAt)).toBe(1);
  });

  test('is refused to whoever does not hold the run any more', async () => {
    const run = await claimOne();
    expect(await mine.store.beginOnly({ ...run.claim, attempt: 2 })).toBe(false);
    await mine.store.release([run.claim]);
    expect(await mine.store.beginOnly(run.claim)).toBe(false);
    expect(await tables.readRuns()).toMatchObject([{ lapses: 0 }]);
  });

  test('of many calls at one moment is one statement', async () => {
    const runs = [await claimOne(), await claimOne(), await claimOne()].map(({ claim }) => claim);
    let statements = 0;
    const database: Database = {
      ...tables.database,
      run(work) {
        statements += 1;
        return tables.database.run(work);
      },
    };
    const store = createRunStore(database, mine.replica);
    const asked = runs.map((claim, index) => store.beginOnly(index === 1 ? { ...claim, attempt: 7 } : claim));
    expect(await Promise.all(asked)).toEqual([true, false, true]);
    expect(statements).toBe(1);
    expect((await tables.readRuns()).map(({ lapses }) => lapses)).toEqual([2, 0, 2]);
  });

  test('counts for one try: a retry may be called again', async () => {
    const run = await claimOne({}, { redo_param: '0' });
    await mine.store.beginOnly(run.claim);
    await mine.store.finish([finished(run, failed, scheduledAt)], scheduledAt);
    expect((await mine.store.claim(10, [])).runs).toMatchObject([{ try: 1, lapses: 0 }]);
  });
});
