// The statements of agents and schedulers as Postgres carries them out on a long queue, whatever its statistics say.
import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { type Claim, postpone } from '../../../../infra/database/lease-table.ts';
import { type CellResult, formatResult } from '../../../../services/agent/recurring/cell-result.ts';
import { createRunStore, type RunStore } from '../../../../services/agent/recurring/run-store.ts';
import { buryRuns, reapRuns } from '../../../../services/scheduler/clear-runs.ts';
import { lockDueTasks, readBusyAgents } from '../../../../services/scheduler/schedule-store.ts';
import { createExplainedDatabase, type ExplainedDatabase } from '../../../helpers/explained-database.ts';
import { createTestDatabase, type TestDatabase } from '../../../helpers/postgres.ts';

const readyCount = 100_000;
const agentCount = 100;
const batch = 200;

let testDatabase: TestDatabase;
let admin: Client;
let explained: ExplainedDatabase;
let store: RunStore;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  admin = new Client({ connectionString: testDatabase.url });
  await admin.connect();
  // The tests say when statistics are made.
  await admin.query('alter table probe_run set (autovacuum_enabled = off)');
  await admin.query(`
    insert into probe_task (type, service_type, cycle, probe_data, target, status, pinned, next_at)
    select 'dns', 'dnsMonitor', 60, '{"dns_servers": []}', '[]', 1, false, now() + (i - 600) * interval '1 s'
    from generate_series(1, 30000) i`);
  await admin.query('analyze probe_task');
  explained = createExplainedDatabase(testDatabase.url, ['probe_run', 'probe_task']);
  const agent = { country: '86', province: '1', city: '1', carrier: '电信', groups: [], resolvers: [] };
  store = createRunStore(explained.database, {
    ...agent,
    agent_id: 'agent-7',
    version: '0',
    session: randomUUID(),
  });
});
afterAll(async () => {
  await explained.database.stop();
  await admin.end();
  await testDatabase.drop();
});
beforeEach(() => admin.query('truncate probe_run'));

const result: CellResult = {
  ...{ cell: 0, domain: 'x.example', rtype: 'A', dns_server: '192.0.2.1', status: 'NOERROR', delay_ms: 1 },
  ...{ lag_ms: null, transport: 'udp', truncated: false, tries: 1, flags: [] },
  ...{ answer: [], authority: [], additional: [] },
};

/** 1,000 runs of each agent that are due, and 50 that will be. */
async function fillQueue(state = 0): Promise<void> {
  await admin.query(`
    insert into probe_run (task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at, state, lease_until)
    select i / ${agentCount}, now(), 'agent-' || i % ${agentCount}, 0,
      '{"servers": ["192.0.2.1"], "targets": [{"domain": "x.example", "rtype": "A"}], "first_cell": 0, "stride": 1}',
      case when i <= ${readyCount} then now() - (i % 60000) * interval '1 ms' else now() + interval '5 min' end,
      now() + interval '1 hour', ${state}, case when ${state} = 1 then now() end
    from generate_series(1, ${readyCount * 1.05}) i`);
}

async function leaseToOthers(share: number): Promise<void> {
  await admin.query(`
    update probe_run set state = 1, attempt = 1, lease_until = now() + interval '20 s', claimed_by = gen_random_uuid()
    where agent_id <> 'agent-7' and id / ${agentCount} % 100 < ${share}`);
}

async function releaseAll(): Promise<void> {
  await admin.query('update probe_run set state = 0, lease_until = null where state = 1');
}

const analyze = () => admin.query('analyze probe_run');

// Statistics are as old as the last round of autovacuum, and the queue may have been quite another one then.
const situations: { statistics: string; prepare: () => Promise<unknown> }[] = [
  {
    statistics: 'of an empty queue',
    prepare: () => analyze().then(() => fillQueue()),
  },
  {
    statistics: 'of a full queue',
    prepare: () => fillQueue().then(analyze),
  },
  {
    statistics: 'of a queue of which everything was held',
    async prepare() {
      await fillQueue(1);
      await analyze();
      await releaseAll();
    },
  },
];

test.each(situations)(
  'agents find their runs by an index, with statistics $statistics',
  async (situation) => {
    await situation.prepare();
    await leaseToOthers(20);
    const { explain } = explained;
    let claims: Claim[] = [];
    const claim = await explain(async () => {
      const { runs, nextDueMs } = await store.claim(batch, ['0', '1']);
      claims = runs.map((run) => run.claim);
      expect(nextDueMs).toBeGreaterThan(0);
    });
    expect(claims).toHaveLength(batch);
    expect(claim.ways).toEqual(['probe_run_pkey', 'probe_run_ready_idx']);
    expect(claim).toMatchObject({ hasSort: false, read: batch });

    let done = { runs: 0, results: 0 };
    const postponements = claims.slice(0, 50).map((each) => ({ claim: each, delayMs: 1000 }));
    const byKey = [
      await explain(() => store.renew(claims)),
      await explain(() => explained.database.run((db) => postpone('probe_run', postponements).execute(db))),
      await explain(() => store.release(claims.slice(100))),
      await explain(async () => {
        done = await store.finish(
          claims.map((each) => ({ claim: each, results: `[${formatResult(result)}]` })),
        );
      }),
    ];
    for (const finding of byKey) {
      expect(finding.ways).toEqual(['probe_run_pkey']);
      // The key leads to the older versions of a row as well, as long as they are there: ready, claimed, renewed, postponed or
      // released.
      expect(finding.read).toBeLessThanOrEqual(4 * batch);
    }
    // The token of a run that was given back is still its newest one.
    expect(done).toEqual({ runs: batch, results: batch });
  },
  60_000,
);

test.each(situations)(
  'schedulers find what is due by an index, with statistics $statistics',
  async (situation) => {
    await situation.prepare();
    await leaseToOthers(20);
    await admin.query(`
    update probe_run set lease_until = now() - interval '1 s', lapses = id / ${agentCount} % 3
    where state = 1 and agent_id in ('agent-1', 'agent-2')`);
    await admin.query(`update probe_run set expires_at = now() where state = 0 and agent_id = 'agent-3'`);
    const { database, explain } = explained;

    const reap = await explain(async () => expect(await reapRuns(database)).toBeGreaterThan(200));
    expect(reap.ways).toEqual(['probe_run_leased_idx', 'probe_run_pkey']);
    expect(reap.read).toBeLessThan(1000);
    const bury = await explain(async () => expect((await buryRuns(database)).runs).toBeGreaterThan(900));
    expect(bury.ways).toEqual(['probe_run_expiry_idx', 'probe_run_leased_idx', 'probe_run_pkey']);
    expect(bury.read).toBeLessThanOrEqual(2000);

    const taskIds = Array.from({ length: 20 }, (_, index) => String(index * 50));
    const busy = await explain(() => database.transact((db) => readBusyAgents(db, taskIds)));
    expect(busy.ways).toEqual(['probe_run_slot_key']);
    expect(busy.read).toBeLessThan(3 * taskIds.length * agentCount);

    const due = await explain(() => database.transact((db) => lockDueTasks(db, 500)));
    expect(due).toEqual({ ways: ['probe_task_due_idx'], hasSort: false, read: 500 });
  },
  60_000,
);
