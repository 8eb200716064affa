// What a replica writes when calls have ended, on a real Postgres: the log, and what becomes of the runs.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { reapRuns } from '../../../../services/crontab/run/clear-runs.ts';
import type { CrontabRunRow } from '../crontab-tables.ts';
import { done, failed, finished, scheduledAt, useRunStore } from './use-run-store.ts';

const mine = useRunStore();
const { tables, claimOne } = mine;

/** Milliseconds from now until the only run is due, and from then until it is too late. */
async function timesLeft(): Promise<{ dueIn: number; term: number } | undefined> {
  const [row] = await tables.query(sql<{ dueIn: number; term: number }>`
    select (extract(epoch from due_at - now()) * 1000)::float8 as "dueIn",
      (extract(epoch from expires_at - due_at) * 1000)::float8 as term
    from crontab_run`);
  return row;
}

describe('finish', () => {
  test('deletes the run, and logs the call as it was made', async () => {
    const task = { name: 'a task', url: 'http://127.0.0.1:9/x', method: 'get', body: '{"a":1}' } as const;
    const run = await claimOne({}, task);
    // What was called is told as it was then.
    await tables.query(sql`update crontab_task set name = 'renamed', url = 'changed', body = ''`);
    expect(await mine.store.finish([finished(run, done)], scheduledAt)).toBe(1);
    expect(await tables.readRuns()).toEqual([]);
    expect(await tables.readLog()).toEqual([
      {
        ...task,
        scheduled_at: new Date(scheduledAt),
        run_id: run.claim.id,
        try: 0,
        task_id: run.taskId,
        run_type: 1,
        status: 2,
        begin_at: new Date(scheduledAt + 3),
        end_at: new Date(scheduledAt + 250),
        resp: 'done',
        resp_code: 200,
        err: '',
        missed: 0,
      },
    ]);
  });

  test.each<[string, CrontabRunRow, number]>([
    ['the first call', {}, 1],
    ['a retry', { try: 2 }, 2],
    ['a call after a lease that ran out', { lapses: 1 }, 2],
    ['a rerun', { runType: 3 }, 3],
    ['a retry of a rerun', { runType: 3, try: 1 }, 2],
  ])('logs %s as such', async (_name, row, runType) => {
    const run = await claimOne(row);
    await mine.store.finish([finished(run, done)], scheduledAt);
    expect(await tables.readLog()).toMatchObject([{ run_type: runType, try: row.try ?? 0 }]);
  });

  test('logs a call that was cancelled as passed over', async () => {
    const run = await claimOne({ try: 1 });
    const outcome = { isOk: false, resp: '', respCode: null, err: 'CANCELLED: the task was disabled' };
    await mine.store.finish([{ ...finished(run, outcome), kind: 'cancelled' }], scheduledAt);
    expect(await tables.readRuns()).toEqual([]);
    expect(await tables.readLog()).toMatchObject([{ run_type: 2, status: 4, try: 1, err: outcome.err }]);
  });

  test('puts a failed run off until its retry, and logs the failure', async () => {
    const run = await claimOne({ dueIn: -1000, expiresIn: 59_000, lapses: 1 }, { redo_param: '40' });
    const nowMs = scheduledAt + 1000;
    expect(await mine.store.finish([finished(run, failed, scheduledAt + 250 + 40_000)], nowMs)).toBe(1);
    expect(await tables.readLog()).toMatchObject([
      { try: 0, status: 3, resp: 'sorry', resp_code: 503, err: 'HTTP_STATUS: 503', missed: 0 },
    ]);
    expect(await tables.readRuns()).toMatchObject([
      {
        id: run.claim.id,
        state: 0,
        try: 1,
        lapses: 0,
        lease_until: null,
        scheduled_at: new Date(scheduledAt),
      },
    ]);
    const { dueIn = 0, term = 0 } = (await timesLeft()) ?? {};
    // Counted from the failure, which was 750 ms ago.
    expect(dueIn).toBeGreaterThan(30_000);
    expect(dueIn).toBeLessThanOrEqual(40_000 - 750);
    expect(term).toBe(60_000);
  });

  test('has a retry whose time is over called at once, and each try logged', async () => {
    let run = await claimOne({}, { redo_param: '0 0' });
    for (const outcome of [failed, failed]) {
      await mine.store.finish([finished(run, outcome, scheduledAt)], scheduledAt + 5000);
      const { runs } = await mine.store.claim(10, []);
      const [next] = runs;
      if (next === undefined) throw new Error('no retry was claimed');
      expect(next.claim.id).toBe(run.claim.id);
      expect(next.claim.attempt).toBeGreaterThan(run.claim.attempt);
      run = next;
    }
    expect(run.try).toBe(2);
    await mine.store.finish([finished(run, done)], scheduledAt + 5000);
    expect(await tables.readRuns()).toEqual([]);
    expect((await tables.readLog()).map((row) => [row.run_id, row.try, row.run_type, row.status])).toEqual([
      [run.claim.id, 0, 1, 3],
      [run.claim.id, 1, 2, 3],
      [run.claim.id, 2, 2, 2],
    ]);
  });

  test('of many at once does for each what it is to have', async () => {
    const runs = [await claimOne(), await claimOne(), await claimOne()];
    const [one, two, three] = runs;
    if (one === undefined || two === undefined || three === undefined) throw new Error('three were claimed');
    const calls = [
      finished(one, done),
      finished(two, failed, scheduledAt + 60_000),
      finished(three, { ...failed, respCode: null, resp: '', err: 'TIMEOUT: after 10000 ms' }),
    ];
    expect(await mine.store.finish(calls, scheduledAt)).toBe(3);
    expect((await tables.readRuns()).map((row) => [row.id, row.try])).toEqual([[two.claim.id, 1]]);
    const log = await tables.readLog();
    expect(log.map((row) => [row.run_id, row.status, row.resp_code, row.err])).toEqual([
      [one.claim.id, 2, 200, ''],
      [two.claim.id, 3, 503, 'HTTP_STATUS: 503'],
      [three.claim.id, 3, null, 'TIMEOUT: after 10000 ms'],
    ]);
  });

  test('twice is done once, whatever came of the call', async () => {
    const runs = [await claimOne({}, { redo_param: '0 0' }), await claimOne()];
    const calls = runs.map((run, index) => finished(run, failed, index === 0 ? scheduledAt : undefined));
    expect(await mine.store.finish(calls, scheduledAt)).toBe(2);
    const before = [await tables.readRuns(), await tables.readLog()];
    expect(await mine.store.finish(calls, scheduledAt)).toBe(0);
    expect([await tables.readRuns(), await tables.readLog()]).toEqual(before);
  });

  test('of a run that was claimed once more changes nothing, and all of the others', async () => {
    const [lost, other] = [await claimOne({}, { redo_param: '1' }), await claimOne()];
    await tables.query(
      sql`update crontab_run set lease_until = now() - interval '1 s' where id = ${lost.claim.id}`,
    );
    expect(await reapRuns(tables.database)).toBe(1);
    await tables.query(sql`update crontab_run set due_at = now() where id = ${lost.claim.id}`);
    const successor = mine.createOther();
    const { runs } = await successor.claim(10, []);
    expect(runs).toMatchObject([{ claim: { id: lost.claim.id, attempt: 2 }, lapses: 1 }]);
    const [taken] = runs;
    if (taken === undefined) throw new Error('it was claimed');

    expect(
      await mine.store.finish([finished(lost, failed, scheduledAt), finished(other, done)], scheduledAt),
    ).toBe(1);
    expect(await tables.readLog()).toMatchObject([{ run_id: other.claim.id }]);
    expect(await tables.readRuns()).toMatchObject([{ id: lost.claim.id, state: 1, attempt: 2, try: 0 }]);
    expect(await successor.finish([finished(taken, done)], scheduledAt)).toBe(1);
  });

  test('of a run whose lease ran out, and that nobody claimed since, is welcome', async () => {
    const run = await claimOne();
    await tables.query(sql`update crontab_run set lease_until = now() - interval '1 s'`);
    await reapRuns(tables.database);
    expect(await mine.store.finish([finished(run, done)], scheduledAt)).toBe(1);
    expect(await tables.readRuns()).toEqual([]);
    expect(await tables.readLog()).toMatchObject([{ run_type: 1, status: 2 }]);
  });

  test('stores any text, and as much of it as there may be', async () => {
    const strange = '"\' \\ \\u0000 \u0001\n\t 汉字 😀 {a,b} $1 {x} \u2028';
    const run = await claimOne({}, { name: strange, url: strange, body: strange });
    const large = await claimOne({}, { body: 'é😀"'.repeat(16_000) });
    const outcome = { ...failed, resp: strange, err: strange };
    const largeOutcome = { ...done, resp: 'é'.repeat(65_536) };
    expect(
      await mine.store.finish([finished(run, outcome), finished(large, largeOutcome)], scheduledAt),
    ).toBe(2);
    expect(await tables.readLog()).toMatchObject([
      { name: strange, url: strange, body: strange, resp: strange, err: strange },
      { body: large.task?.callback.body, resp: largeOutcome.resp },
    ]);
  });

  test('stores text of others that Postgres would not take without what it does not take', async () => {
    const run = await claimOne();
    const outcome = { ...failed, resp: 'a\0b\ud83d', err: `${'x'.repeat(3)}\ude00\0` };
    expect(await mine.store.finish([finished(run, outcome)], scheduledAt)).toBe(1);
    expect(await tables.readLog()).toMatchObject([{ resp: 'ab\ufffd', err: 'xxx\ufffd' }]);
  });

  test('keeps the microseconds of a rerun, and a time that lies in no partition of its own', async () => {
    const run = await claimOne({ runType: 3 });
    await tables.query(sql`update crontab_run set scheduled_at = '2001-02-03 04:05:06.789012+00'`);
    await mine.store.finish([finished(run, done)], scheduledAt);
    expect(await tables.query(sql`select scheduled_at::text as at from crontab_log_default`)).toHaveLength(1);
    expect(
      await tables.query(sql`
        select (scheduled_at at time zone 'UTC')::text as at from crontab_log`),
    ).toEqual([{ at: '2001-02-03 04:05:06.789012' }]);
  });

  test('deletes no run whose call cannot be logged', async () => {
    const run = await claimOne();
    const broken = { ...finished(run, done), outcome: { ...done, respCode: 2 ** 40 } };
    await expect(mine.store.finish([broken], scheduledAt)).rejects.toMatchObject({ code: '22003' });
    expect(await tables.readRuns()).toMatchObject([{ state: 1, attempt: 1 }]);
    expect(await tables.readLog()).toEqual([]);
  });
});
