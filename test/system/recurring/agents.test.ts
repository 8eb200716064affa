// Agents that are killed, stall, stop or have a wrong clock: each cell has one result, from whoever was entitled to it.
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { connect } from 'nats';
import { afterAll, beforeAll, expect, onTestFailed, test, vi } from 'vitest';
import { type Order, type OrderReply, orderReplySchema } from '../../../contracts/agent.ts';
import { orderSubject } from '../../../contracts/subjects.ts';
import { maxLapses } from '../../../infra/database/lease-table.ts';
import { accountFor } from '../../helpers/account-for.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startHoldingDnsServer } from '../../helpers/holding-dns-server.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { startRecurringPlatform } from '../../helpers/recurring-platform.ts';
import { readMetric, until } from '../../helpers/test-client.ts';

/** A few cells of one server at a time: with a silent one its backlog takes minutes. */
const slow = { AGENT_CONCURRENCY_PER_SERVER: '4' };
const hourMs = 3_600_000;

// Most of it is the start of processes, which a busy machine draws out.
vi.setConfig({ testTimeout: 60_000 });

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

/** Orders one cell of an agent, as a gateway does, and resolves with its reply. */
async function sendOrder(agentId: string, server: string): Promise<OrderReply> {
  const connection = await connect({ servers: nats.url });
  const order: Order = {
    order_id: randomUUID(),
    budget_ms: 1500,
    servers: [server],
    targets: [{ domain: 'one.example', rtype: 'A' }],
  };
  const reply = await connection.request(orderSubject(agentId), JSON.stringify(order), { timeout: 5000 });
  await connection.close();
  return orderReplySchema.parse(reply.json());
}

test('one killed in the middle of its backlog is followed by one that does the rest', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer((name) => name.endsWith('.held')));
  const scheduler = await platform.startScheduler();
  const victim = await platform.startAgent('a', slow);
  await platform.addTasks({ names: 200, zone: 'quick', dnsServers: [dns.text] });
  await until(async () => (await platform.readNumber('select count(*) from probe_result')) === 200);
  await platform.addTasks({ names: 300, zone: 'held', dnsServers: [dns.text] });
  await until(async () => dns.heldCount() > 0);
  await victim.kill();

  expect(await platform.query('select state, attempt from probe_run')).toEqual(
    Array.from({ length: 3 }, () => ({ state: 1, attempt: 1 })),
  );
  await platform.endLeases();
  dns.open();
  await platform.startAgent('a');
  await platform.runsDone();

  expect(await readMetric(scheduler.metricsUrl, 'probe_leases_reaped_total')).toBe(3);
  expect(await accountFor(platform)).toMatchObject({ faults: [], cells: 500, statuses: { NOERROR: 500 } });
  // What was stored before its death is not probed again.
  const quick = dns.asked().filter((name) => name.endsWith('.quick'));
  expect(quick).toHaveLength(200);
});

test('one that stalled until its lease ran out stores nothing over what its successor stored', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  await platform.startScheduler();
  const stalled = await platform.startAgent('a');
  await platform.addTasks({ names: 10, dnsServers: [dns.text] });
  await until(async () => dns.heldCount() >= 10);
  stalled.signal('SIGSTOP');
  onTestFailed(() => stalled.signal('SIGCONT'));
  // Its answers are there, and it does not read them.
  dns.release('192.0.2.1');
  await platform.endLeases();
  dns.open('192.0.2.2');
  const successor = await platform.startAgent('a');
  await platform.runsDone();
  stalled.signal('SIGCONT');
  await until(async () => (await readMetric(stalled.metricsUrl, 'probe_runs_fenced_total')) > 0);

  const [late, early] = await Promise.all(
    [stalled, successor].map(async ({ metricsUrl }) => ({
      fenced: await readMetric(metricsUrl, 'probe_runs_fenced_total'),
      stored: await readMetric(metricsUrl, 'probe_results_stored_total'),
    })),
  );
  expect(late).toEqual({ fenced: 1, stored: 0 });
  expect(early).toEqual({ fenced: 0, stored: 10 });
  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { NOERROR: 10 } });
  const answers = await platform.query('select distinct answer::text as text from probe_result');
  expect(answers).toHaveLength(10);
  for (const { text } of answers) expect(text).toContain('192.0.2.2');
});

test('a run whose lease ran out as often as is forgiven ends as LOST, and what comes later changes nothing', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  const scheduler = await platform.startScheduler();
  const agent = await platform.startAgent('a');
  await platform.addTasks({ names: 10, dnsServers: [dns.text] });
  await until(async () => dns.heldCount() >= 10);
  await platform.query('update probe_run set lapses = $1', [maxLapses - 1]);
  await platform.endLeases();
  await platform.runsDone();
  dns.open();
  await until(async () => (await readMetric(agent.metricsUrl, 'probe_runs_fenced_total')) === 1);

  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { LOST: 10 } });
  expect(await readMetric(scheduler.metricsUrl, 'probe_cells_buried_total', 'status="LOST"')).toBe(10);
  expect(await readMetric(agent.metricsUrl, 'probe_results_stored_total')).toBe(0);
});

test('one told to stop hands back what it has not probed, and a new one takes that at once', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  const scheduler = await platform.startScheduler();
  const leaver = await platform.startAgent('a', slow);
  await platform.addTasks({ names: 1000, dnsServers: [dns.text] });
  await until(async () => dns.heldCount() > 0);
  const startedAt = performance.now();
  await leaver.stop();
  expect(performance.now() - startedAt).toBeLessThan(8000);

  const rows = await platform.query(
    'select state, attempt, lapses, lease_until, claimed_by from probe_run order by id',
  );
  const handedBack = { state: 0, attempt: 1, lapses: 0, lease_until: null, claimed_by: null };
  expect(rows).toEqual(Array.from({ length: 10 }, () => handedBack));
  dns.open();
  await platform.startAgent('a');
  await platform.runsDone();
  expect(await readMetric(scheduler.metricsUrl, 'probe_leases_reaped_total')).toBe(0);
  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { NOERROR: 1000 } });
});

test('one told to stop takes no orders while it gives its cells time to end', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  await platform.startScheduler();
  const agent = await platform.startAgent('a');
  await platform.addTasks({ dnsServers: [dns.text] });
  await until(async () => dns.heldCount() > 0);
  const startedAt = performance.now();
  agent.signal('SIGTERM');
  await until(async () => (await fetch(`${agent.metricsUrl}/readyz`)).status !== 200);
  expect(performance.now() - startedAt).toBeLessThan(2000);
  dns.open();
  await agent.stop();
  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { NOERROR: 1 } });
});

test('a silent server that a large task asks keeps no other task and no one-shot order waiting', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const silent = keepUntilTestEnd(await startHoldingDnsServer());
  const live = keepUntilTestEnd(await startHoldingDnsServer());
  live.open();
  await platform.startScheduler();
  const concurrency = { AGENT_CONCURRENCY: '100', AGENT_CONCURRENCY_PER_SERVER: '10' };
  await platform.startAgent('a', { ...concurrency, AGENT_MAX_WAITING: '10' });
  const large = await platform.addTasks({ names: 3000, zone: 'silent', dnsServers: [silent.text] });
  await until(async () => silent.heldCount() > 0);
  const small = await platform.addTasks({ cycle: 1, zone: 'live', dnsServers: [live.text] });
  const replies = await Promise.all([live, silent].map((dns) => sendOrder('a', dns.text)));
  expect(replies).toMatchObject([
    { outcomes: [{ status: 'NOERROR' }] },
    { outcomes: [{ status: 'TIMEOUT', tries: 2 }] },
  ]);
  const countSlots = 'select count(*) from probe_result where task_id = $1';
  await until(async () => (await platform.readNumber(countSlots, small)) >= 5);
  expect(await platform.readNumber(countSlots, large)).toBe(0);
  const waits = `select max(extract(epoch from finished_at - scheduled_at))::float8 as longest
    from probe_result where task_id = $1`;
  expect(await platform.readNumber(waits, small)).toBeLessThan(2.5);
  silent.open();
  await platform.settle();
  expect((await accountFor(platform)).faults).toEqual([]);
});

test('clocks an hour off change no time that is kept, and no lease', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  await platform.startScheduler();
  const shifts = [hourMs, -hourMs];
  const agents = await Promise.all(
    shifts.map((shiftMs, index) =>
      platform.startAgent(`a${index}`, {
        NODE_OPTIONS: `--import=${fileURLToPath(new URL('../../helpers/shift-clock.ts', import.meta.url))}`,
        CLOCK_SHIFT_MS: String(shiftMs),
      }),
    ),
  );
  for (const [index, agent] of agents.entries()) {
    const [line = '{}'] = await agent.readLog();
    const offMs = Date.parse(JSON.parse(line).time) - Date.now() - (shifts[index] ?? 0);
    expect(Math.abs(offMs)).toBeLessThan(60_000);
  }
  await platform.addTasks({ names: 10, dnsServers: [dns.text] });
  await until(async () => dns.heldCount() >= 20);
  const leases = await platform.query<{ left: number }>(
    'select extract(epoch from lease_until - now())::float8 as left from probe_run where state = 1',
  );
  expect(leases).toHaveLength(2);
  for (const { left } of leases) {
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(30);
  }
  dns.open();
  await platform.addTasks({ cycle: 1, dnsServers: [dns.text] });
  await until(
    async () => (await platform.readNumber('select count(distinct scheduled_at) from probe_result')) >= 4,
  );
  await platform.settle();

  const account = await accountFor(platform);
  expect(account.faults).toEqual([]);
  expect(account.statuses).toEqual({ NOERROR: account.cells });
  expect(await platform.readNumber('select count(distinct agent_id) from probe_result')).toBe(2);
  // A result is stored after its slot was planned, a slot planned after its time: all by one clock.
  const disorder = `select count(*) from probe_result join probe_slot using (scheduled_at, task_id)
    where not (scheduled_at <= planned_at and planned_at <= finished_at and finished_at <= now()
      and finished_at < planned_at + interval '1 min' and scheduled_at > now() - interval '1 min')`;
  expect(await platform.readNumber(disorder)).toBe(0);
  expect(await platform.readNumber('select count(*) from agent_session where heartbeat_at > now()')).toBe(0);
});
