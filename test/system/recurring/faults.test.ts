// Messages and rows that nobody should have sent or written harm nobody else; what the metrics tell of a queue.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { wakeSubject } from '../../../contracts/subjects.ts';
import { accountFor } from '../../helpers/account-for.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startHoldingDnsServer } from '../../helpers/holding-dns-server.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { type RecurringPlatform, startRecurringPlatform } from '../../helpers/recurring-platform.ts';
import { connectTestClient, readMetric, until } from '../../helpers/test-client.ts';

const malformedPayloads = [
  'null',
  '[]',
  '{"servers": 5, "targets": "x", "first_cell": "y", "stride": null}',
  '{"servers": [], "targets": [], "first_cell": 0, "stride": 1}',
  '{"servers": ["127.0.0.1"], "targets": [{"domain": null}], "first_cell": 0, "stride": 1}',
  '{"servers": ["127.0.0.1"], "targets": [7, null], "first_cell": 1.5, "stride": -1}',
  '{"servers": ["127.0.0.1"], "targets": [{"domain": "a..b", "rtype": "A"}], "first_cell": 0, "stride": 1}',
];

// Most of it is the start of processes, which a busy machine draws out.
vi.setConfig({ testTimeout: 60_000 });

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

/** Registers an agent that looks alive and never claims anything. */
async function addGhost({ query }: RecurringPlatform, id: string): Promise<void> {
  await query(
    `insert into agent (agent_id, country, province, city, carrier, groups, resolvers, version)
     values ($1, '86', '1', '1', '电信', '{}', '{}', '0')`,
    [id],
  );
  await query('insert into agent_session (session_id, agent_id) values (gen_random_uuid(), $1)', [id]);
}

async function addMalformedRuns({ query }: RecurringPlatform, agentId: string): Promise<void> {
  await query(
    `insert into probe_run (task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at)
     select 1000000, now(), $1, n, payload::jsonb, now(), now() + interval '1 hour'
     from unnest($2::text[]) with ordinality as malformed (payload, n)`,
    [agentId, malformedPayloads],
  );
}

test('garbage for a wake message and malformed runs keep no agent from its other runs', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const client = keepUntilTestEnd(await connectTestClient(nats.url));
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  dns.open();
  await platform.startScheduler();
  const agent = await platform.startAgent('a');
  await addMalformedRuns(platform, 'a');
  const bodies = ['', 'null', '{"wake":', Buffer.alloc(100_000, 0xff), Buffer.from([0, 0xc3, 0x28])];
  for (let round = 0; round < 200; round += 1) {
    for (const body of bodies) client.raw.publish(wakeSubject('a'), body, { reply: wakeSubject('a') });
  }
  await client.raw.flush();
  const leased = 'select count(*) from probe_run where state = 1';
  await until(async () => (await platform.readNumber(leased)) === malformedPayloads.length);
  await platform.addTasks({ names: 250, dnsServers: [dns.text] });
  await until(async () => (await platform.readNumber('select count(*) from probe_result')) === 250);

  expect((await fetch(`${agent.metricsUrl}/readyz`)).status).toBe(200);
  const complaints = (await agent.readLog()).filter((line) => line.includes('cannot be understood'));
  expect(complaints).toHaveLength(malformedPayloads.length);
  await platform.query('delete from probe_run where task_id = 1000000');
  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { NOERROR: 250 } });
});

test('malformed runs that nobody finishes are removed, and do not hold up what is buried with them', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  await addGhost(platform, 'ghost');
  const scheduler = await platform.startScheduler();
  await platform.addTasks({ names: 150, dnsServers: [dns.text] });
  await until(async () => (await platform.readNumber('select count(*) from probe_run')) === 2);
  await addMalformedRuns(platform, 'ghost');
  await platform.query('update probe_run set expires_at = now()');
  await platform.runsDone();

  await platform.query('delete from probe_result where task_id = 1000000');
  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { EXPIRED: 150 } });
  expect((await scheduler.readLog()).join('\n')).not.toContain('a turn failed');
});

test('metrics tell of the queue, of lags and leases, of results and partitions', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  await addGhost(platform, 'a');
  const first = await platform.startScheduler();
  const read = (service: { metricsUrl: string }, name: string) => readMetric(service.metricsUrl, name);
  await until(async () => (await read(first, 'probe_partitions')) > 0);
  // Of slots and of results: yesterday, today and three days ahead.
  expect(await read(first, 'probe_partitions')).toBe(10);
  expect(await read(first, 'probe_partitions_days_ahead')).toBe(3);
  expect(await read(first, 'probe_runs_ready')).toBe(0);
  expect(await read(first, 'probe_runs_oldest_ready_seconds')).toBe(0);
  expect(await read(first, 'probe_slot_lag_seconds_count')).toBe(0);

  await platform.addTasks({ names: 350, dnsServers: [dns.text] });
  await until(async () => (await platform.readNumber('select count(*) from probe_run')) === 4);
  expect(await read(first, 'probe_slot_lag_seconds_count')).toBe(1);
  expect(await read(first, 'probe_slot_lag_seconds_sum')).toBeGreaterThan(0);
  await first.stop();
  // The queue is measured when a scheduler starts, and every ten seconds then.
  const second = await platform.startScheduler();
  await until(async () => (await read(second, 'probe_runs_ready')) === 4);
  expect(await read(second, 'probe_runs_oldest_ready_seconds')).toBeGreaterThan(0);

  const agent = await platform.startAgent('a');
  await until(async () => dns.heldCount() > 0);
  await platform.endLeases();
  await until(async () => (await read(second, 'probe_leases_reaped_total')) === 4);
  dns.open();
  await platform.runsDone();
  expect(await read(agent, 'probe_results_stored_total')).toBe(350);
  expect(await read(agent, 'probe_runs_held')).toBe(0);
  await second.stop();
  const third = await platform.startScheduler();
  await until(async () => (await read(third, 'probe_partitions')) === 10);
  expect(await read(third, 'probe_runs_ready')).toBe(0);
  expect(await read(third, 'probe_runs_oldest_ready_seconds')).toBe(0);
  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { NOERROR: 350 } });
});
