// Postgres and NATS die and come back while tasks run: everything goes on, nothing is lost, nothing comes twice.
import { afterAll, beforeAll, expect, onTestFailed, test, vi } from 'vitest';
import { accountFor } from '../../helpers/account-for.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startHoldingDnsServer } from '../../helpers/holding-dns-server.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { startOwnPostgres } from '../../helpers/own-postgres.ts';
import { type RecurringPlatform, startRecurringPlatform } from '../../helpers/recurring-platform.ts';
import { readMetric, until } from '../../helpers/test-client.ts';

const load = { cycle: 1, count: 50, names: 3 };

// Most of it is the start of processes, which a busy machine draws out.
vi.setConfig({ testTimeout: 60_000 });

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

/** Two schedulers and two agents with tasks that are due every second. */
async function startUnderLoad(databaseUrl?: string) {
  const platform = await startRecurringPlatform({
    natsUrl: nats.url,
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  dns.open();
  const agents = await Promise.all(['a', 'b'].map((id) => platform.startAgent(id)));
  await Promise.all([platform.startScheduler(), platform.startScheduler()]);
  await platform.addTasks({ ...load, dnsServers: [dns.text] });
  return { platform, agents };
}

/** Resolves when every task has a slot with results that was planned after now. */
async function everyTaskGoesOn({ query, readNumber }: RecurringPlatform): Promise<void> {
  const [now] = await query<{ text: string }>('select now()::text as text');
  await until(async () => {
    const tasks = await readNumber(
      `select count(distinct task_id) from probe_slot join probe_result using (scheduled_at, task_id)
       where planned_at > $1`,
      [now?.text],
    );
    return tasks === load.count;
  });
}

test('Postgres ended at once, then killed, under load', async () => {
  const postgres = await startOwnPostgres();
  const { platform } = await startUnderLoad(postgres.url);
  await everyTaskGoesOn(platform);
  await postgres.stopImmediately();
  await postgres.restart();
  await everyTaskGoesOn(platform);
  await postgres.kill();
  await postgres.restart();
  await everyTaskGoesOn(platform);
  await platform.settle();

  const account = await accountFor(platform);
  expect(account.faults).toEqual([]);
  expect(account.tasks).toBe(load.count);
  expect(account.statuses).toEqual({ NOERROR: account.cells });
});

test('while Postgres is away agents probe what they hold, and store it when it is back', async () => {
  const postgres = await startOwnPostgres();
  const platform = await startRecurringPlatform({ natsUrl: nats.url, databaseUrl: postgres.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  const agent = await platform.startAgent('a');
  await platform.startScheduler();
  await platform.addTasks({ names: 120, dnsServers: [dns.text] });
  await until(async () => dns.heldCount() > 0);
  await postgres.stopImmediately();
  dns.open();
  const probed = () => readMetric(agent.metricsUrl, 'probe_agent_cells_total', 'outcome="NOERROR"');
  await until(async () => (await probed()) === 120);
  const asked = dns.asked().length;
  await postgres.restart();
  await platform.runsDone();

  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { NOERROR: 120 } });
  expect(dns.asked()).toHaveLength(asked);
  expect(await readMetric(agent.metricsUrl, 'probe_results_stored_total')).toBe(120);
});

test('an outage of Postgres that outlasts leases and slots costs no outcome', async () => {
  const postgres = await startOwnPostgres();
  const platform = await startRecurringPlatform({ natsUrl: nats.url, databaseUrl: postgres.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  const agent = await platform.startAgent('a');
  const scheduler = await platform.startScheduler();
  await platform.addTasks({ names: 50, dnsServers: [dns.text] });
  await until(async () => dns.heldCount() >= 50);
  await scheduler.stop();
  await platform.query(`update probe_run set lease_until = now(), expires_at = now()`);
  await postgres.stopImmediately();
  dns.open();
  const probed = () => readMetric(agent.metricsUrl, 'probe_agent_cells_total', 'outcome="NOERROR"');
  await until(async () => (await probed()) === 50);
  // Schedulers are back before the agent is.
  agent.signal('SIGSTOP');
  onTestFailed(() => agent.signal('SIGCONT'));
  await postgres.restart();
  await platform.startScheduler();
  await until(
    async () => (await platform.readNumber('select count(*) from probe_run where state = 1')) === 0,
  );
  agent.signal('SIGCONT');
  await platform.runsDone();

  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { NOERROR: 50 } });
});

test('NATS killed and started again under load', async () => {
  const { platform, agents } = await startUnderLoad();
  await everyTaskGoesOn(platform);
  await nats.kill();
  await everyTaskGoesOn(platform);
  await nats.restart();
  await until(async () => {
    const replies = await Promise.all(agents.map(({ metricsUrl }) => fetch(`${metricsUrl}/readyz`)));
    return replies.every(({ status }) => status === 200);
  });
  await everyTaskGoesOn(platform);
  await platform.settle();

  const account = await accountFor(platform);
  expect(account.faults).toEqual([]);
  expect(account.statuses).toEqual({ NOERROR: account.cells });
});
