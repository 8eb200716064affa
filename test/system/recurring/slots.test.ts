// What a slot tells of agents that had no run in it, and tasks that have one slot only.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { SkipReason } from '../../../contracts/task-slot.ts';
import { accountFor } from '../../helpers/account-for.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startHoldingDnsServer } from '../../helpers/holding-dns-server.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { type RecurringPlatform, startRecurringPlatform } from '../../helpers/recurring-platform.ts';
import { until } from '../../helpers/test-client.ts';

// Most of it is the start of processes, which a busy machine draws out.
vi.setConfig({ testTimeout: 60_000 });

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

/** Slots of all tasks that leave out just these agents, for this reason. */
function countSkips(platform: RecurringPlatform, reason: SkipReason, ids: string[]): Promise<number> {
  return platform.readNumber('select count(*) from probe_slot where skipped = $1::jsonb', [
    JSON.stringify([{ reason, count: ids.length, ids }]),
  ]);
}

test('a task of cycle 0 runs once, whatever becomes of its scheduler', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  await platform.startAgent('a');
  const first = await platform.startScheduler();
  const [once] = await platform.addTasks({ cycle: 0, names: 3, dnsServers: [dns.text] });
  await until(async () => dns.heldCount() >= 3);
  await first.kill();
  const second = await platform.startScheduler();
  dns.open();
  const goOn = async () => {
    const [other] = await platform.addTasks({ cycle: 1, dnsServers: [dns.text] });
    const slots = 'select count(*) from probe_slot where task_id = $1';
    await until(async () => (await platform.readNumber(slots, [other])) === 2);
  };
  await goOn();
  await second.stop();
  await platform.startScheduler();
  await goOn();
  await platform.settle();

  expect((await accountFor(platform)).faults).toEqual([]);
  const rows = await platform.query('select scheduled_at from probe_result where task_id = $1', [once]);
  expect(rows).toHaveLength(3);
});

test('an agent that has not finished is left out as OVERLAP and has no second run of the task', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  // A second run of a task at a time would be refused, and the scheduler would say so.
  await platform.query('create unique index one_at_a_time on probe_run (task_id, agent_id, chunk)');
  const agents = ['slow', 'quick'];
  for (const id of agents) await platform.startAgent(id);
  const scheduler = await platform.startScheduler();
  await platform.addTasks({ cycle: 1, names: 1, dnsServers: [dns.text] });
  for (const round of [1, 2]) {
    await until(async () => (await countSkips(platform, 'OVERLAP', ['quick', 'slow'])) >= round);
    dns.release();
  }
  dns.open();
  const withoutSkips = `select count(*) from probe_slot where agents = 2 and skipped = '[]'`;
  await until(async () => (await platform.readNumber(withoutSkips)) >= 4);
  await platform.settle();

  const account = await accountFor(platform);
  expect(account.faults).toEqual([]);
  expect(account.skipped.OVERLAP).toBeGreaterThanOrEqual(2);
  const log = (await scheduler.readLog()).join('\n');
  expect(log).not.toMatch(/a turn failed|one_at_a_time/);
});

test('agents that are not there, go away and come back: NO_AGENTS, AGENT_AWAY, then runs again', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const dns = keepUntilTestEnd(await startHoldingDnsServer());
  dns.open();
  await platform.startScheduler();
  await platform.addTasks({ cycle: 1, dnsServers: [dns.text] });
  await until(async () => (await countSkips(platform, 'NO_AGENTS', [])) > 0);
  const agent = await platform.startAgent('a');
  const planned = 'select count(*) from probe_slot where agents = 1';
  await until(async () => (await platform.readNumber(planned)) > 0);
  await agent.kill();
  // As if a day had passed, which a scheduler that just started grants, and the lease of what it may have held.
  await platform.query(`update agent_session set heartbeat_at = now() - interval '25 h'`);
  await platform.endLeases();
  await until(async () => (await countSkips(platform, 'AGENT_AWAY', ['a'])) > 0);
  const before = await platform.readNumber(planned);
  await platform.startAgent('a');
  await until(async () => (await platform.readNumber(planned)) > before);
  await platform.settle();

  const account = await accountFor(platform);
  expect(account.faults).toEqual([]);
  expect(account.statuses).toEqual({ NOERROR: account.cells });
});
