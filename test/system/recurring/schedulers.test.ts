// Several schedulers at once, and one that dies within a transaction: every slot is planned exactly once.
import { Client } from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { accountFor } from '../../helpers/account-for.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startHoldingDnsServer } from '../../helpers/holding-dns-server.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { startRecurringPlatform } from '../../helpers/recurring-platform.ts';
import { readMetric, until } from '../../helpers/test-client.ts';
import { startWildcardServer } from '../../helpers/wildcard-server.ts';

// Most of it is the start of processes, which a busy machine draws out.
vi.setConfig({ testTimeout: 60_000 });

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

test('four schedulers plan every slot of 1,000 tasks of one second exactly once', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = await startWildcardServer('example');
  const [, ...schedulers] = await Promise.all([
    Promise.all(['a', 'b'].map((id) => platform.startAgent(id))),
    ...Array.from({ length: 4 }, () => platform.startScheduler()),
  ]);
  await platform.addTasks({ cycle: 1, dnsServers: [dns], count: 1000 });

  await vi.waitUntil(
    async () => {
      const span = 'extract(epoch from max(scheduled_at) - min(scheduled_at))';
      return (await platform.readNumber(`select ${span} from probe_slot`)) >= 8;
    },
    { interval: 100, timeout: 20_000 },
  );
  const planned = await Promise.all(
    schedulers.map(({ metricsUrl }) => readMetric(metricsUrl, 'probe_slots_total')),
  );
  await platform.settle();

  const account = await accountFor(platform);
  expect(account.faults).toEqual([]);
  expect(account.tasks).toBe(1000);
  // A machine that cannot keep up coalesces slots, which are told of all the same; the last ones may not be planned yet.
  expect(account.slots + account.missed).toBeGreaterThan(7000);
  expect(account.cells).toBeGreaterThan(0);
  expect(account.statuses).toEqual({ NOERROR: account.cells });
  for (const share of planned) expect(share).toBeGreaterThan(0);
});

test('a scheduler killed within its transaction leaves nothing of it, and another plans those slots', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  dns.open();
  await platform.startAgent('a');
  const victim = await platform.startScheduler();
  // It has begun: what it does once at its start does not stand in the same queue for long.
  await until(async () => (await readMetric(victim.metricsUrl, 'probe_partitions')) > 0);

  const blocker = new Client({ connectionString: platform.databaseUrl });
  await blocker.connect();
  onTestFinished(() => blocker.end());
  await blocker.query('begin');
  await blocker.query('lock table probe_slot in share mode');
  await platform.addTasks({ names: 300, dnsServers: [dns.text] });
  await platform.addTasks({ cycle: 1, count: 20, dnsServers: [dns.text] });
  const waiting = `select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into probe_slot%'`;
  await until(async () => (await platform.readNumber(waiting)) === 1);
  await victim.kill();

  const heir = await platform.startScheduler();
  expect(await platform.readNumber('select count(*) from probe_slot')).toBe(0);
  await blocker.query('commit');
  const tasks = 'select count(distinct task_id) from probe_slot';
  await until(async () => (await platform.readNumber(tasks)) === 21);
  await platform.settle();

  const account = await accountFor(platform);
  expect(account.faults).toEqual([]);
  expect(account.statuses).toEqual({ NOERROR: account.cells });
  expect(await readMetric(heir.metricsUrl, 'probe_slots_total')).toBe(account.slots);
});
