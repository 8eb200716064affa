// All services behind a real PgBouncer in transaction mode with two connections to Postgres for all of them.
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { createDatabase, type Database } from '../../infra/database/database.ts';
import { createLogger } from '../../infra/logger.ts';
import { lockDueTasks } from '../../services/scheduler/schedule-store.ts';
import { accountFor } from '../helpers/account-for.ts';
import { keepUntilTestEnd } from '../helpers/cleanup.ts';
import { startHoldingDnsServer } from '../helpers/holding-dns-server.ts';
import { startNatsServer, type TestNatsServer } from '../helpers/nats.ts';
import { type PgbouncerOptions, startPgbouncer, type TestPgbouncer } from '../helpers/pgbouncer.ts';
import { createTestDatabase } from '../helpers/postgres.ts';
import { spawnService, type TestService } from '../helpers/processes.ts';
import { type RecurringPlatform, startRecurringPlatform } from '../helpers/recurring-platform.ts';
import { connectTestClient, readMetric } from '../helpers/test-client.ts';

const agentIds = ['a', 'b', 'c'];
const poolSize = 2;

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

type PooledPlatform = {
  /** Asks Postgres itself. */
  platform: RecurringPlatform;
  pgbouncer: TestPgbouncer;
  scheduler: TestService;
  agents: TestService[];
};

/** A scheduler and three agents behind PgBouncer, each known there by its name. */
async function startPooledPlatform(): Promise<PooledPlatform> {
  const database = await createTestDatabase();
  onTestFinished(database.drop);
  const pgbouncer = keepUntilTestEnd(await startPgbouncer({ databaseUrl: database.url, poolSize }));
  const platform = await startRecurringPlatform({
    natsUrl: nats.url,
    databaseUrl: withName(database.url, 'test'),
  });
  const [scheduler, ...agents] = await Promise.all([
    platform.startScheduler({ DATABASE_URL: withName(pgbouncer.url, 'scheduler') }),
    ...agentIds.map((id) => platform.startAgent(id, { DATABASE_URL: withName(pgbouncer.url, id) })),
  ]);
  return { platform, pgbouncer, scheduler, agents };
}

function withName(url: string, name: string): string {
  return `${url}?application_name=${name}`;
}

/** The most connections that were seen: of each service to PgBouncer, and of PgBouncer to Postgres. */
function createCensus({ platform, pgbouncer }: PooledPlatform) {
  const seen: Record<string, number> = {};
  const see = (name: string, count: number) => {
    seen[name] = Math.max(seen[name] ?? 0, count);
  };
  return {
    seen,
    async take() {
      for (const [name, count] of await pgbouncer.countClients()) see(name, count);
      const servers = `select count(*) from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and application_name <> 'test'`;
      see('Postgres', await platform.readNumber(servers));
    },
  };
}

async function sumMetric(services: TestService[], name: string): Promise<number> {
  const values = await Promise.all(services.map(({ metricsUrl }) => readMetric(metricsUrl, name)));
  return values.reduce((sum, value) => sum + value, 0);
}

const countResults = ({ readNumber }: RecurringPlatform) => readNumber('select count(*) from probe_result');

/** The lease of a run whose claim never reached its agent takes half a minute to run out. */
async function runsDone({ readNumber }: RecurringPlatform): Promise<void> {
  const isDone = async () => (await readNumber('select count(*) from probe_run')) === 0;
  await vi.waitUntil(isDone, { interval: 50, timeout: 60_000 });
}

test('gateway, scheduler and three agents share two connections, and every cell is stored once', async () => {
  const pooled = await startPooledPlatform();
  const { platform, pgbouncer, scheduler, agents } = pooled;
  const env = { NATS_URL: nats.url, DATABASE_URL: withName(pgbouncer.url, 'gateway') };
  keepUntilTestEnd(await spawnService('gateway', env));
  const client = keepUntilTestEnd(await connectTestClient(nats.url));
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  dns.open();
  const census = createCensus(pooled);
  const target = ['x', 'y', 'z'].map(
    (name) => ({ type: 'domain', rtype: 'A', data: `${name}.example` }) as const,
  );
  const request = { cycle: 1, probe_data: { dns_servers: [dns.text] }, target };
  const tasks = await Promise.all(Array.from({ length: 20 }, () => client.call('taskCreate', request)));

  await vi.waitUntil(
    async () => {
      await census.take();
      return (await platform.readNumber('select count(distinct scheduled_at) from probe_slot')) >= 80;
    },
    { interval: 50, timeout: 30_000 },
  );
  await Promise.all(tasks.map(({ task_id }) => client.call('taskUpdate', { task_id, status: 0 })));
  await runsDone(platform);

  const account = await accountFor(platform);
  expect(account.faults).toEqual([]);
  expect(account.tasks).toBe(tasks.length);
  expect(account.cells).toBeGreaterThan(200);
  expect(account.statuses).toEqual({ NOERROR: account.cells });
  expect(await sumMetric([scheduler], 'probe_leases_reaped_total')).toBe(0);
  expect(await sumMetric(agents, 'probe_runs_fenced_total')).toBe(0);
  expect(await sumMetric(agents, 'probe_results_stored_total')).toBe(account.cells);
  expect(census.seen.Postgres).toBe(poolSize);
  for (const id of agentIds) expect([1, 2]).toContain(census.seen[id]);
  expect(Object.keys(census.seen)).toEqual(expect.arrayContaining(['gateway', 'scheduler']));
  const { results } = await client.call('taskResultGet', { limit: 10 });
  expect(results).toHaveLength(10);
  // Nothing that it does not take was asked of it.
  expect(await pgbouncer.readLog()).not.toMatch(/WARNING|ERROR|unsupported/);
}, 60_000);

test('what agents probe while PgBouncer is gone is stored when it is back', async () => {
  const { platform, pgbouncer, scheduler, agents } = await startPooledPlatform();
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  await platform.addTasks({ names: 250, dnsServers: [dns.text] });
  const isAsking = async () => (await sumMetric(agents, 'probe_dns_in_flight')) > 0;
  await vi.waitUntil(
    async () => (await isAsking()) && (await sumMetric(agents, 'probe_runs_claimed_total')) === 9,
    { interval: 20, timeout: 15_000 },
  );
  await pgbouncer.kill();
  dns.open();
  await vi.waitUntil(
    async () => !(await isAsking()) && (await sumMetric(agents, 'probe_dns_waiting')) === 0,
    { interval: 20, timeout: 15_000 },
  );
  expect(await sumMetric(agents, 'probe_runs_held')).toBe(9);
  expect(await countResults(platform)).toBe(0);
  await pgbouncer.restart();
  await runsDone(platform);

  expect(await accountFor(platform)).toMatchObject({ faults: [], cells: 750, statuses: { NOERROR: 750 } });
  expect(await sumMetric([scheduler], 'probe_leases_reaped_total')).toBe(0);
}, 60_000);

test('PgBouncer killed again and again while runs are claimed and stored loses none of them', async () => {
  const { platform, pgbouncer, agents } = await startPooledPlatform();
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  dns.open();
  await platform.addTasks({ names: 2, count: 1000, dnsServers: [dns.text] });
  for (const enough of [100, 1500, 3000]) {
    const isEnough = async () => (await countResults(platform)) >= enough;
    await vi.waitUntil(isEnough, { interval: 10, timeout: 20_000 });
    await pgbouncer.kill();
    await pgbouncer.restart();
  }
  await vi.waitUntil(async () => (await platform.readNumber('select count(*) from probe_slot')) === 1000, {
    interval: 50,
    timeout: 20_000,
  });
  // What is left then is what claims gave to agents that never heard of it.
  const isLeft = async () =>
    (await platform.readNumber('select count(*) from probe_run where state = 0')) === 0 &&
    (await sumMetric(agents, 'probe_runs_held')) === 0;
  await vi.waitUntil(isLeft, { interval: 50, timeout: 60_000 });
  await platform.endLeases();
  await runsDone(platform);

  expect(await accountFor(platform)).toMatchObject({
    faults: [],
    slots: 1000,
    cells: 6000,
    statuses: { NOERROR: 6000 },
  });
}, 120_000);

/** A pool of this process behind a PgBouncer with one connection. */
async function connectThrough(settings: PgbouncerOptions['settings'] = {}): Promise<Database> {
  const database = await createTestDatabase();
  onTestFinished(database.drop);
  const options = { databaseUrl: database.url, poolSize: 1, settings };
  const { url } = keepUntilTestEnd(await startPgbouncer(options));
  const logger = createLogger('test', 'silent');
  return keepUntilTestEnd(createDatabase({ url, maxConnections: 3, logger }));
}

test('work that PgBouncer has no connection for in time is UNAVAILABLE, and the next is done', async () => {
  const database = await connectThrough({ query_wait_timeout: 1 });
  const one = () => database.run((db) => sql<{ one: number }>`select 1 as one`.execute(db));
  const refused = await database.transact(async (db) => {
    await sql`select 1`.execute(db);
    return await one().catch((error: unknown) => error);
  });
  expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
  expect((await one()).rows).toEqual([{ one: 1 }]);
});

test('what a transaction sets for itself is in force there and nowhere after it', async () => {
  const database = await connectThrough();
  const readLimit = sql<{ limit: string; pid: number }>`
    select current_setting('idle_in_transaction_session_timeout') as limit, pg_backend_pid() as pid`;
  const inside = await database.transact(async (db) => {
    await lockDueTasks(db, 1);
    return (await readLimit.execute(db)).rows[0];
  });
  const after = await database.run(async (db) => (await readLimit.execute(db)).rows[0]);
  expect(inside?.limit).toBe('15s');
  expect(after).toEqual({ limit: '0', pid: inside?.pid });
});
