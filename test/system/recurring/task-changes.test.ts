// Tasks that are changed through the gateway while their runs are under way, and a slot as large as they come.
import { afterAll, beforeAll, describe, expect, onTestFailed, test, vi } from 'vitest';
import { accountFor, type Pause } from '../../helpers/account-for.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startHoldingDnsServer } from '../../helpers/holding-dns-server.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { type RecurringPlatform, startRecurringPlatform } from '../../helpers/recurring-platform.ts';
import { connectTestClient, until } from '../../helpers/test-client.ts';
import { startWildcardServer } from '../../helpers/wildcard-server.ts';

// Most of it is the start of processes, which a busy machine draws out.
vi.setConfig({ testTimeout: 60_000 });

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

async function startWithGateway() {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  await Promise.all([platform.startGateway(), platform.startScheduler()]);
  const client = keepUntilTestEnd(await connectTestClient(nats.url));
  return { platform, client };
}

/** A task of one second whose first run is under way: its answer is held. */
async function startHeldTask() {
  const { platform, client } = await startWithGateway();
  const dns = keepUntilTestEnd(await startHoldingDnsServer((name) => name === 'held.example'));
  await platform.startAgent('a');
  const { task_id: taskId } = await client.call('taskCreate', {
    cycle: 1,
    target: [{ type: 'domain', data: 'held.example' }],
    probe_data: { dns_servers: [dns.text] },
  });
  await until(async () => dns.heldCount() > 0);
  return { platform, client, dns, taskId };
}

function countSlots({ readNumber }: RecurringPlatform, taskId: string): Promise<number> {
  return readNumber('select count(*) from probe_slot where task_id = $1', [taskId]);
}

function countResults({ readNumber }: RecurringPlatform, domain: string): Promise<number> {
  return readNumber('select count(*) from probe_result where domain = $1', [domain]);
}

/** When a task was changed last; a slot that was planned while the change waited for it comes before the change. */
async function readChange({ query }: RecurringPlatform, taskId: string): Promise<Date> {
  const [row] = await query<{ at: Date }>(
    'select greatest(updated_at, last_at) as at from probe_task where task_id = $1',
    [taskId],
  );
  return row?.at ?? new Date(Number.NaN);
}

/** Resolves when the schedulers have planned three more slots of another task of one second. */
async function threeSlotsLater(platform: RecurringPlatform): Promise<void> {
  const [other = ''] = await platform.addTasks({ cycle: 1, names: 1, dnsServers: ['127.0.0.1:1'] });
  await until(async () => (await countSlots(platform, other)) === 3);
  await platform.query('update probe_task set status = 0 where task_id = $1', [other]);
}

describe('a task with a run under way', () => {
  test('that is paused gets the results of it and no further slots; resumed it has missed nothing', async () => {
    const { platform, client, dns, taskId } = await startHeldTask();
    await client.call('taskUpdate', { task_id: taskId, status: 0 });
    const from = await readChange(platform, taskId);
    const slots = await countSlots(platform, taskId);
    expect(await countResults(platform, 'held.example')).toBe(0);
    dns.open();
    await until(async () => (await countResults(platform, 'held.example')) === 1);
    await threeSlotsLater(platform);
    expect(await countSlots(platform, taskId)).toBe(slots);

    await client.call('taskUpdate', { task_id: taskId, status: 1 });
    const to = await readChange(platform, taskId);
    await until(async () => (await countResults(platform, 'held.example')) >= 3);
    await platform.settle();
    const later = await platform.query<{ scheduled_at: Date; missed: number }>(
      'select scheduled_at, missed from probe_slot where task_id = $1 order by scheduled_at offset $2',
      [taskId, slots],
    );
    expect(later[0]).toMatchObject({ missed: 0 });
    expect(later[0]?.scheduled_at.getTime()).toBeGreaterThan(to.getTime());
    expect((await accountFor(platform, { pauses: [{ taskId, from, to }] })).faults).toEqual([]);
  });

  test('that is updated gets the results of it, and its next slot has the new targets', async () => {
    const { platform, client, dns, taskId } = await startHeldTask();
    await client.call('taskUpdate', {
      task_id: taskId,
      target: ['new.example', 'newer.example'].map((data) => ({ type: 'domain', data })),
    });
    const [updated] = await platform.query<{ at: string }>('select now()::text as at');
    dns.open();
    await until(async () => (await countResults(platform, 'newer.example')) >= 2);
    await platform.settle();

    expect((await accountFor(platform)).faults).toEqual([]);
    // Slots between the first and the update had to be skipped.
    expect(await countResults(platform, 'held.example')).toBe(1);
    const rows = await platform.query<{ domains: string[] }>(
      `select array_agg(domain order by cell) as domains from probe_slot
       join probe_result using (scheduled_at, task_id) where planned_at > $1 group by scheduled_at`,
      [updated?.at],
    );
    expect(rows.length).toBeGreaterThanOrEqual(2);
    for (const { domains } of rows) expect(domains).toEqual(['new.example', 'newer.example']);
  });

  test('that is deleted leaves its slots, and gets the results of the run', async () => {
    const { platform, client, dns, taskId } = await startHeldTask();
    await client.call('taskDelete', { task_id: taskId });
    const slots = await countSlots(platform, taskId);
    dns.open();
    await platform.runsDone();
    await threeSlotsLater(platform);
    await platform.runsDone();

    expect(await countSlots(platform, taskId)).toBe(slots);
    expect(await countResults(platform, 'held.example')).toBe(1);
    expect((await accountFor(platform)).faults).toEqual([]);
    const { results } = await client.call('taskResultGet', { task_id: taskId });
    expect(results).toHaveLength(1);
  });
});

test('slots that are due when their task changes, and that no scheduler was there to plan, all have their row', async () => {
  const platform = await startRecurringPlatform({ natsUrl: nats.url });
  const [, scheduler] = await Promise.all([platform.startGateway(), platform.startScheduler()]);
  const client = keepUntilTestEnd(await connectTestClient(nats.url));
  const fields = { cycle: 1, target: [{ type: 'domain' as const, data: 'x.example' }] };
  const create = async () => (await client.call('taskCreate', fields)).task_id;
  const [paused, deleted, retyped] = [await create(), await create(), await create()];
  const ids = [paused, deleted, retyped];
  for (const id of ids) await until(async () => (await countSlots(platform, id)) > 0);

  scheduler.signal('SIGSTOP');
  onTestFailed(() => scheduler.signal('SIGCONT'));
  const overdue = `select count(*) from probe_task where next_at < now() - interval '3 s'`;
  await until(async () => (await platform.readNumber(overdue)) === 3);
  const before = await Promise.all(ids.map((id) => countSlots(platform, id)));
  const [due] = await platform.query<{ next_at: Date }>('select next_at from probe_task where task_id = $1', [
    deleted,
  ]);
  await client.call('taskUpdate', { task_id: paused, status: 0 });
  const from = await readChange(platform, paused);
  await client.call('taskUpdate', { task_id: paused, status: 1 });
  const to = await readChange(platform, paused);
  await client.call('taskUpdate', { task_id: retyped, type: 'http' });
  const pauses: Pause[] = [{ taskId: paused, from, to }];
  pauses.push({ taskId: retyped, from: await readChange(platform, retyped), to: new Date(8.64e15) });
  await client.call('taskDelete', { task_id: deleted });
  expect(await Promise.all(ids.map((id) => countSlots(platform, id)))).toEqual(before.map((n) => n + 1));
  const [last] = await platform.query<{ scheduled_at: Date; missed: number; skipped: unknown }>(
    'select scheduled_at, missed, skipped from probe_slot where task_id = $1 order by scheduled_at desc limit 1',
    [deleted],
  );
  expect(last).toMatchObject({ skipped: [{ reason: 'CHANGED', count: 0, ids: [] }] });
  // It stands for all from the first that was due on.
  expect(Number(last?.scheduled_at) - Number(last?.missed) * 1000).toBe(due?.next_at.getTime());
  expect(last?.missed).toBeGreaterThanOrEqual(3);

  scheduler.signal('SIGCONT');
  await until(async () => (await countSlots(platform, paused)) > Number(before[0]) + 2);
  await platform.settle();
  const { faults, skipped } = await accountFor(platform, { pauses });
  expect(faults).toEqual([]);
  expect(skipped.CHANGED).toBe(3);
});

test('a domain group of 5,000 names is one slot of 100 runs, and every cell has its result', async () => {
  const { platform, client } = await startWithGateway();
  const dns = await startWildcardServer('example');
  await Promise.all(['a', 'b'].map((id) => platform.startAgent(id)));
  const domains = Array.from({ length: 5000 }, (_, index) => `n${index}.example`);
  const { id } = await client.call('domainGroupCreate', { name: 'large', domains });
  await client.call('taskCreate', {
    cycle: 0,
    target: [{ type: 'domain_group', domain_group_id: id }],
    probe_data: { dns_servers: [dns] },
  });
  await until(async () => (await platform.readNumber('select count(*) from probe_slot')) === 1);
  await platform.runsDone();

  const slots = await platform.query('select agents, runs, cells, missed, skipped from probe_slot');
  expect(slots).toEqual([{ agents: 2, runs: 100, cells: 10_000, missed: 0, skipped: [] }]);
  expect(await accountFor(platform)).toMatchObject({ faults: [], statuses: { NOERROR: 10_000 } });
  // Cells are numbered in the order of the names.
  const ofName = `select count(*) from probe_result where domain = 'n' || cell || '.example'`;
  expect(await platform.readNumber(ofName)).toBe(10_000);
});
