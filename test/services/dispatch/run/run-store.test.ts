// The statements of a replica, on a real Postgres: who may write what of a run.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { buryRuns, clearEvents, reapRuns } from '../../../../services/dispatch/run/clear-runs.ts';
import { createNodeTally } from '../../../../services/dispatch/run/node-tally.ts';
import {
  type ClaimedRun,
  createRunStore,
  type RunStore,
} from '../../../../services/dispatch/run/run-store.ts';
import { judgePlay } from '../../../../services/dispatch/run/verdict.ts';
import { useDispatchTables } from '../dispatch-tables.ts';
import { startedAt, statsEvent, taskEvent } from './play-events.ts';

const tables = useDispatchTables();
const replica = randomUUID();
let store: RunStore;
beforeEach(() => {
  store = createRunStore(tables.database, replica);
});

async function claimOne(...rows: Parameters<typeof tables.addTask>): Promise<ClaimedRun> {
  const id = await tables.addTask(...rows);
  const run = (await store.claim(10)).find(({ taskId }) => taskId === id);
  if (run === undefined) throw new Error('the run was not claimed');
  return run;
}
const endLease = (id: string) =>
  tables.query(sql`update dispatch_run set lease_until = now() - interval '1 ms' where id = ${id}`);
const done = (run: ClaimedRun) => {
  const tally = createNodeTally(run.nodes.map(({ text }) => text));
  tally.add([statsEvent(Object.fromEntries(run.nodes.map(({ text }) => [text, { ok: 1 }])))]);
  return {
    claim: run.claim,
    verdict: judgePlay(tally.nodes(), { hasStats: true, lastWords: '', exitCode: 0 }),
  };
};

describe('claiming', () => {
  test('gives each run to one replica, with what it needs', async () => {
    const id = await tables.addTask({ nodes: ['10.0.0.1', '[2001:db8::1]:2222'] });
    const other = createRunStore(tables.database, randomUUID());
    const claims = (await Promise.all([store.claim(5), other.claim(5)])).flat();
    expect(claims).toMatchObject([
      {
        taskId: id,
        nodes: [
          { address: '10.0.0.1', port: 22 },
          { address: '2001:db8::1', port: 2222, text: '[2001:db8::1]:2222' },
        ],
        user: 'root',
        forks: 5,
        wasBegun: false,
      },
    ]);
  });

  test('tells a run that a process began which is gone', async () => {
    const run = await claimOne();
    expect(await store.begin(run.claim)).toBe('begun');
    await endLease(run.taskId);
    expect(await reapRuns(tables.database)).toBe(1);
    expect(await store.claim(5)).toMatchObject([{ taskId: run.taskId, wasBegun: true }]);
  });
});

describe('beginning', () => {
  test('is written down before anything is started', async () => {
    const run = await claimOne();
    expect(await store.begin(run.claim)).toBe('begun');
    const task = await tables.readTask(run.taskId);
    expect(task).toMatchObject({ status: 1, started_at: expect.any(Date) });
  });

  test('does not happen when the run is to be stopped', async () => {
    const run = await claimOne();
    await tables.query(sql`update dispatch_run set is_stop_wanted = true`);
    expect(await store.begin(run.claim)).toBe('stop_wanted');
    expect(await tables.readTask(run.taskId)).toMatchObject({ status: 0 });
    expect(await store.listStopWanted([run.taskId])).toEqual([run.taskId]);
  });

  test('does not happen when the run is another’s by now', async () => {
    const run = await claimOne();
    await endLease(run.taskId);
    await reapRuns(tables.database);
    expect(await store.begin(run.claim)).toBe('lost');
    await createRunStore(tables.database, randomUUID()).claim(1);
    expect(await store.begin(run.claim)).toBe('lost');
    expect(await tables.readTask(run.taskId)).toMatchObject({ status: 0 });
  });
});

test('a run that was begun and handed back waits for its clean-up, however long it was played', async () => {
  const run = await claimOne({ expiresIn: 50, timeoutMs: 60_000 });
  expect(await store.begin(run.claim)).toBe('begun');
  await tables.query(
    sql`update dispatch_run set expires_at = expires_at - interval '60 s' where id = ${run.taskId}`,
  );
  await store.release([run.claim]);
  expect(await buryRuns(tables.database)).toBe(0);
  expect(await store.claim(1)).toMatchObject([{ taskId: run.taskId, wasBegun: true }]);
});

describe('events', () => {
  test('become rows, and change their nodes, once however often they are sent', async () => {
    const run = await claimOne({ nodes: ['10.0.0.1', '10.0.0.2:2222'] });
    const tally = createNodeTally(['10.0.0.1', '10.0.0.2:2222']);
    const added = tally.add([
      taskEvent('10.0.0.2:2222', { isChanged: true, detail: { stdout: 'a\0b\ud800' } }),
    ]);
    expect(await store.addEvents(run.claim, added)).toBe(true);
    expect(await store.addEvents(run.claim, added)).toBe(true);
    expect(await tables.readEvents(run.taskId)).toMatchObject([
      {
        seq: 1,
        global_id: '16-16',
        source: 'hubble',
        host: '10.0.0.2',
        node: '10.0.0.2:2222',
        action: 'say hello',
        result: 'ok',
        started_at: new Date(startedAt),
        ended_at: new Date(startedAt + 1500),
        detail: { changed: true, stdout: 'ab\ufffd' },
      },
    ]);
    expect(await tables.readNodes(run.taskId)).toMatchObject([
      { status: 0, ok: 0 },
      { status: 1, ok: 1, changed: 1, started_at: new Date(startedAt), ended_at: null },
    ]);
  });

  test('of whoever lost the run are not stored', async () => {
    const run = await claimOne();
    await endLease(run.taskId);
    await reapRuns(tables.database);
    await store.claim(1);
    const added = createNodeTally(['10.0.0.1']).add([taskEvent('10.0.0.1')]);
    expect(await store.addEvents(run.claim, added)).toBe(false);
    expect(await tables.readEvents(run.taskId)).toEqual([]);
    expect(await tables.readNodes(run.taskId)).toMatchObject([{ status: 0 }]);
  });
});

describe('the end', () => {
  test('is stored once: the run is gone, and nothing is left of what was to be run', async () => {
    const run = await claimOne();
    await store.begin(run.claim);
    expect(await store.finish([done(run)])).toBe(1);
    expect(await store.finish([done(run)])).toBe(0);
    expect(await tables.readRuns()).toEqual([]);
    expect(await tables.readTask(run.taskId)).toMatchObject({ status: 2, err: null, work: null });
    expect((await tables.readTask(run.taskId)).ended_at).toBeInstanceOf(Date);
    expect(await tables.readNodes(run.taskId)).toMatchObject([{ status: 2 }]);
  });

  test('never changes a task that has ended', async () => {
    const run = await claimOne();
    await tables.query(sql`update dispatch_task set status = 4`);
    await store.finish([done(run)]);
    expect(await tables.readTask(run.taskId)).toMatchObject({ status: 4 });
  });

  test('of whoever lost the run is not stored', async () => {
    const run = await claimOne();
    await endLease(run.taskId);
    await reapRuns(tables.database);
    const [again] = await store.claim(1);
    expect(await store.finish([done(run)])).toBe(0);
    expect(await tables.readTask(run.taskId)).toMatchObject({ status: 0 });
    expect(again).toMatchObject({ taskId: run.taskId, wasBegun: false });
  });
});

describe('what nobody ends', () => {
  test('expires when it waited for too long', async () => {
    const id = await tables.addTask({ expiresIn: -1 });
    expect(await store.claim(5)).toEqual([]);
    expect(await buryRuns(tables.database)).toBe(1);
    const err = 'expired: nobody had room for it in time';
    expect(await tables.readTask(id)).toMatchObject({ status: 3, err, work: null });
    expect(await tables.readNodes(id)).toMatchObject([{ status: 3, err, ended_at: null }]);
    expect(await tables.readRuns()).toEqual([]);
  });

  test.each([
    [false, 3],
    [true, 4],
  ])('is given up after its leases ran out too often (to be stopped: %s)', async (isStopWanted, status) => {
    const id = await tables.addTask({ status: 1, leasedFor: -1, lapses: 2, isStopWanted });
    expect(await reapRuns(tables.database)).toBe(0);
    expect(await buryRuns(tables.database)).toBe(1);
    expect(await tables.readTask(id)).toMatchObject({
      status,
      err: 'interrupted; what it left on its nodes could not be cleaned up',
    });
  });

  test('of a replica that is known to be gone is taken over at once, and of no other', async () => {
    const [gone, alive] = [randomUUID(), randomUUID()];
    const id = await tables.addTask({ leasedFor: 30_000, claimedBy: gone });
    await tables.addTask({ leasedFor: 30_000, claimedBy: alive });
    expect(await store.giveUpLeases(gone)).toBe(1);
    expect(await reapRuns(tables.database)).toBe(1);
    expect(await store.claim(5)).toMatchObject([{ taskId: id }]);
  });
});

test('events are forgotten when they are old, a part at a time; their task is not', async () => {
  const run = await claimOne();
  const added = createNodeTally(['10.0.0.1']).add([1, 2, 3].map(() => taskEvent('10.0.0.1')));
  await store.addEvents(run.claim, added);
  await store.finish([done(run)]);
  const clear = () => clearEvents(tables.database, { retentionDays: 1, limit: 2 });
  expect(await clear()).toEqual({ hasMore: false });
  await tables.query(sql`update dispatch_task set ended_at = now() - interval '25 hours'`);
  expect(await clear()).toEqual({ hasMore: true });
  expect(await tables.readEvents(run.taskId)).toHaveLength(1);
  expect(await tables.readTask(run.taskId)).toMatchObject({ has_events: true });
  expect(await clear()).toEqual({ hasMore: true });
  expect(await clear()).toEqual({ hasMore: false });
  expect(await tables.readEvents(run.taskId)).toEqual([]);
  expect(await tables.readTask(run.taskId)).toMatchObject({ status: 2, has_events: false });
});
