// The statements of replicas as Postgres carries them out on many tasks and a long queue, whatever its statistics say.
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Claim } from '../../../../infra/database/lease-table.ts';
import { createLogger } from '../../../../infra/logger.ts';
import { buryRuns, reapRuns } from '../../../../services/crontab/run/clear-runs.ts';
import {
  type ClaimedRun,
  createRunStore,
  type FinishedCall,
  type RunStore,
} from '../../../../services/crontab/run/run-store.ts';
import { scheduleTasks } from '../../../../services/crontab/run/schedule-tasks.ts';
import { createExplainedDatabase, type ExplainedDatabase } from '../../../helpers/explained-database.ts';
import { createTestDatabase, type TestDatabase } from '../../../helpers/postgres.ts';

const taskCount = 100_000;
const readyCount = 200_000;
const batch = 500;
const logger = createLogger('test', 'silent');

let testDatabase: TestDatabase;
let admin: Client;
let explained: ExplainedDatabase;
let store: RunStore;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  admin = new Client({ connectionString: testDatabase.url });
  await admin.connect();
  // The tests say when statistics are made.
  await admin.query('alter table crontab_run set (autovacuum_enabled = off)');
  await admin.query('alter table crontab_task set (autovacuum_enabled = off)');
  await admin.query(`
    insert into crontab_task (name, enable, module, type, start_time, time_zone, url, method, resp_regexp, body, body_type,
      redo_param, tags, timeout_ms, overlap, misfire, misfire_window, delivery, secret, target, anchor_at, next_at)
    select 'task ' || i, 1, 1, 2, '@every 24h', 'UTC', 'http://127.0.0.1:9/', 'post', '', '{}', 1, '', '{}', 1000, 'skip', 'fire',
      3600, 'at_least_once', '', 'http://127.0.0.1:9', date_trunc('second', now()) - interval '1 day' + (i - 1000) * interval '1 s',
      now() - i * interval '1 s'
    from generate_series(1, ${taskCount}) i`);
  // Statistics of a moment at which all of them were due.
  await admin.query('analyze crontab_task');
  // A thousand are; a tenth is disabled.
  await admin.query(`
    update crontab_task
    set next_at = case when task_id % 10 = 0 then 'infinity' else anchor_at + interval '1 day' end`);
  await admin.query('vacuum crontab_task');
  explained = createExplainedDatabase(testDatabase.url, ['crontab_run', 'crontab_task', 'crontab_log']);
  store = createRunStore(explained.database, randomUUID());
}, 120_000);
afterAll(async () => {
  await explained.database.stop();
  await admin.end();
  await testDatabase.drop();
});

/** Two runs of each task: one that is due, one that waits for its retry. */
async function fillQueue(state = 0): Promise<void> {
  await admin.query(`
    insert into crontab_run (task_id, scheduled_at, run_type, target, due_at, expires_at, state, lease_until)
    select 1 + i % ${taskCount}, now() - i * interval '1 ms', 1, 'http://127.0.0.' || i % 100,
      case when i <= ${readyCount / 2} then now() - (i % 60000) * interval '1 ms' else now() + interval '5 min' end,
      now() + interval '1 hour', ${state}, case when ${state} = 1 then now() end
    from generate_series(1, ${readyCount}) i`);
}

async function leaseToOthers(): Promise<void> {
  await admin.query(`
    update crontab_run set state = 1, attempt = 1, lease_until = now() + interval '20 s', claimed_by = gen_random_uuid()
    where id % 10 = 3`);
}

const analyze = () => admin.query('analyze crontab_run');

// Statistics are as old as the last round of autovacuum, and the queue may have been quite another one then.
const situations: { statistics: string; prepare: () => Promise<unknown> }[] = [
  {
    statistics: 'of an empty queue',
    prepare: () => analyze().then(() => fillQueue()),
  },
  { statistics: 'of a full queue', prepare: () => fillQueue().then(analyze) },
  {
    statistics: 'of a queue of which everything was held',
    async prepare() {
      await fillQueue(1);
      await analyze();
      await admin.query('update crontab_run set state = 0, lease_until = null');
    },
  },
];

function finishedCall(run: ClaimedRun, index: number): FinishedCall {
  const outcome = { isOk: false, resp: '', respCode: 500, err: 'HTTP_STATUS: 500' };
  const retryAt = index % 2 === 0 ? 1000 : undefined;
  return {
    claim: run.claim,
    run,
    kind: 'called',
    outcome,
    beginAt: run.dueAt,
    endAt: run.dueAt + 5,
    retryAt,
  };
}

describe.each(situations)('with statistics $statistics', ({ prepare }) => {
  beforeAll(async () => {
    await admin.query('truncate crontab_run, crontab_log restart identity');
    await prepare();
    await leaseToOthers();
  }, 60_000);

  test('replicas find runs and their tasks by indexes', async () => {
    const { explain } = explained;
    let runs: ClaimedRun[] = [];
    const claim = await explain(async () => {
      const claimed = await store.claim(batch, ['http://127.0.0.7', 'http://127.0.0.8']);
      runs = claimed.runs;
      expect(claimed.nextDueMs).toBeGreaterThan(0);
    });
    expect(runs).toHaveLength(batch);
    expect(runs.every(({ task, target }) => task !== undefined && !target.endsWith('.7'))).toBe(true);
    expect(claim.ways).toEqual(['crontab_run_pkey', 'crontab_run_ready_idx', 'crontab_task_pkey']);
    // In the order of the index, past those of the two targets.
    expect(claim.read).toBeLessThan(1.2 * batch);

    const claims: Claim[] = runs.map((run) => run.claim);
    const byKey = [
      await explain(() => store.renew(claims)),
      await explain(async () => {
        for (const each of claims.slice(0, 3)) expect(await store.beginOnly(each)).toBe(true);
      }),
      await explain(() => store.release(claims.slice(400))),
      // The token of a run that was given back is still its newest one.
      await explain(async () => expect(await store.finish(runs.map(finishedCall), 0)).toBe(batch)),
    ];
    for (const { ways, read } of byKey) {
      expect(ways).toEqual(['crontab_run_pkey']);
      // The key leads to the older versions of a row as well, as long as they are there.
      expect(read).toBeLessThanOrEqual(5 * batch);
    }
  });

  test('replicas find what is due, lapsed or too late by indexes', async () => {
    await admin.query(`
      update crontab_run set lease_until = now() - interval '1 s', lapses = id / 10 % 3
      where state = 1 and id < 6000`);
    await admin.query(`update crontab_run set expires_at = now() where state = 0 and id % 200 = 1`);
    const { database, explain } = explained;

    const reap = await explain(async () => expect(await reapRuns(database)).toBeGreaterThan(200));
    expect(reap.ways).toEqual(['crontab_run_leased_idx', 'crontab_run_pkey']);
    expect(reap.read).toBeLessThan(2000);
    const bury = await explain(async () => {
      const { lost, expired } = await buryRuns(database);
      expect(lost).toBeGreaterThan(100);
      expect(expired).toBeGreaterThan(900);
    });
    expect(bury.ways).toEqual([
      'crontab_run_expiry_idx',
      'crontab_run_leased_idx',
      'crontab_run_pkey',
      'crontab_task_pkey',
    ]);
    expect(bury.read).toBeLessThanOrEqual(3000);

    // All of them have runs: what is due is passed over, and what is ahead is left; of the other tasks nothing is read.
    await admin.query(
      `update crontab_task set next_at = now() + interval '0.45 s' where task_id < 700 and next_at < 'infinity'`,
    );
    const turn = await explain(async () => {
      const { planned } = await scheduleTasks(database, {}, logger);
      expect(planned.length).toBeGreaterThan(200);
    });
    expect(turn.ways).toEqual(['crontab_run_time_key', 'crontab_task_next_idx', 'crontab_task_pkey']);
    expect(turn.read).toBeLessThanOrEqual(4 * batch);
    await admin.query(`
      update crontab_task set last_at = null, next_at = anchor_at + interval '1 day' where next_at < 'infinity'`);
  });
});

test('an idle turn and an idle claim read nothing, whatever waits for later', async () => {
  await admin.query('truncate crontab_run');
  await fillQueue();
  await admin.query('delete from crontab_run where due_at <= now()');
  await admin.query('vacuum analyze crontab_run');
  await admin.query(
    `update crontab_task set next_at = next_at + interval '1 day' where next_at < 'infinity'`,
  );
  const { database, explain } = explained;
  const turn = await explain(async () => {
    expect((await scheduleTasks(database, {}, logger)).planned).toEqual([]);
  });
  expect(turn).toEqual({ ways: ['crontab_task_next_idx'], hasSort: false, read: 0 });
  const claim = await explain(async () => expect((await store.claim(batch, [])).runs).toEqual([]));
  expect(claim.ways).toEqual(['crontab_run_pkey', 'crontab_run_ready_idx', 'crontab_task_pkey']);
  // When the next one is due.
  expect(claim.read).toBe(1);
}, 60_000);
