// Several replicas of the crontab service, some of which die: every occurrence is called, and none twice.
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { crontabCalls } from '../../../contracts/crontab-api.ts';
import { type CrontabPlatform, type LogRow, startCrontabPlatform } from '../../helpers/crontab-platform.ts';
import { startNatsServer, type TestNatsServer } from '../../helpers/nats.ts';
import { readMetric, until } from '../../helpers/test-client.ts';

// Leases of replicas that died run out meanwhile.
vi.setConfig({ testTimeout: 60_000 });

const succeeded = 2;
const failed = 3;
const skipped = 4;
const missed = 5;
/** Labels of the calls that the sink answers. */
const succeededPosts = 'method="post",outcome="succeeded"';

let nats: TestNatsServer;

beforeAll(async () => {
  nats = await startNatsServer();
});
afterAll(() => nats.stop());

/** What does not add up in the log of tasks of every second, one line each. */
function findFaults(log: LogRow[], { sink }: CrontabPlatform, twice = new Set<string>()): string[] {
  const faults: string[] = [];
  for (const [taskId, rows] of Map.groupBy(log, (row) => row.task_id)) {
    let next = rows[0]?.scheduled_ms ?? 0;
    for (const row of rows) {
      if (row.scheduled_ms !== next) faults.push(`${taskId}: ${row.scheduled_ms} follows ${next - 1000}`);
      next = row.scheduled_ms + 1000 * Math.max(1, row.missed);
    }
  }
  const calls = Map.groupBy(sink.calls, ({ messageId }) => messageId);
  for (const row of log) {
    const id = `crontab_${row.run_id}`;
    const count = calls.get(id)?.length ?? 0;
    if (row.status === succeeded && count !== 1 && !twice.has(id))
      faults.push(`run ${row.run_id} was called ${count} times`);
    if (row.status >= skipped && count !== 0) faults.push(`run ${row.run_id} was called all the same`);
  }
  return faults;
}

/** Two replicas that call tasks of every second; the one to be lost holds some. */
async function startPairUnderLoad(taskCount: number) {
  const platform = await startCrontabPlatform({ natsUrl: nats.url });
  const [lost, heir] = await Promise.all([platform.startReplica(), platform.startReplica()]);
  await platform.addTasks(
    heir,
    Array.from({ length: taskCount }, (_, index) => ({ name: `t${index}`, overlap: 'allow' })),
  );
  await until(async () => platform.sink.calls.length >= 3 * taskCount);
  await until(async () => (await readMetric(lost.metricsUrl, 'probe_crontab_runs_held')) > 0);
  return { platform, lost, heir };
}

/**
 * Nothing is left of what there is now, and of what a replica takes ahead of its time: the leases of the one that was lost
 * have to run out.
 */
async function waitForTakeover({ query, readNumber }: CrontabPlatform): Promise<void> {
  const [{ until: last } = { until: new Date() }] = await query<{ until: Date }>(
    `select now() + interval '1 s' as until`,
  );
  const left = () => readNumber('select count(*) from crontab_run where scheduled_at < $1', [last]);
  await vi.waitUntil(async () => (await left()) === 0, { interval: 100, timeout: 30_000 });
}

/** `unexplained`: those that the log does not tell of as retries. */
function findCalledTwice(log: LogRow[], { sink }: CrontabPlatform) {
  const again = new Set(log.flatMap((row) => (row.run_type === 2 ? [`crontab_${row.run_id}`] : [])));
  const calls = Map.groupBy(sink.calls, ({ messageId }) => messageId);
  const twice = new Set([...calls].flatMap(([id, each]) => (each.length > 1 ? [id] : [])));
  return { twice, unexplained: [...twice].filter((id) => !again.has(id)) };
}

test('three replicas call each second of 300 tasks exactly once', async () => {
  const platform = await startCrontabPlatform({ natsUrl: nats.url });
  const replicas = await Promise.all([1, 2, 3].map(() => platform.startReplica()));
  const [first] = replicas;
  if (first === undefined) throw new Error('no replica');
  await platform.addTasks(
    first,
    Array.from({ length: 300 }, (_, index) => ({ name: `t${index}` })),
  );
  await until(async () => platform.sink.callsTo('/t0').length >= 6);
  const planned = await Promise.all(
    replicas.map(({ metricsUrl }) => readMetric(metricsUrl, 'probe_crontab_runs_planned_total')),
  );
  await platform.settle(first);

  const log = await platform.readLog();
  expect(findFaults(log, platform)).toEqual([]);
  expect(new Set(log.map(({ task_id: id }) => id)).size).toBe(300);
  expect(log.filter(({ status }) => status === succeeded).length).toBeGreaterThan(1000);
  expect(log.filter(({ status }) => status === failed)).toEqual([]);
  expect(planned.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(1000);
});

test('of a replica killed under load nothing is lost, and only what it was calling is called once more, as the same', async () => {
  const { platform, lost: victim, heir } = await startPairUnderLoad(200);
  await victim.kill();
  await waitForTakeover(platform);
  await platform.settle(heir);

  const log = await platform.readLog();
  const { twice, unexplained } = findCalledTwice(log, platform);
  expect(unexplained).toEqual([]);
  expect(log.filter(({ status }) => status !== succeeded)).toEqual([]);
  expect(findFaults(log, platform, twice)).toEqual([]);
});

/** A task whose call is held by the sink, and the replica that makes it. */
async function startHeldCall(task: Record<string, unknown>) {
  const platform = await startCrontabPlatform({ natsUrl: nats.url });
  const replica = await platform.startReplica();
  platform.sink.hold('/held');
  const [id = ''] = await platform.addTasks(replica, [{ name: 'held', enable: 2, timeout: 30, ...task }]);
  await replica.post(crontabCalls.runAgainTask, { task_list: [{ task_id: id }] });
  await until(async () => platform.sink.callsTo('/held').length === 1);
  return { platform, replica, id };
}

/** Nobody has to wait for the lease of a replica that is gone. */
async function endLeases({ query }: CrontabPlatform): Promise<void> {
  await query(`update crontab_run set lease_until = now() - interval '1 ms' where state = 1`);
}

test('a call whose replica is killed is made once more under the same id', async () => {
  const { platform, replica, id } = await startHeldCall({});
  await replica.kill();
  platform.sink.release('/held');
  await platform.startReplica();
  await endLeases(platform);
  await until(async () => (await platform.readLog(id)).length === 1);
  expect(await platform.readLog(id)).toMatchObject([{ status: succeeded, run_type: 2, try: 0 }]);
  const ids = platform.sink.callsTo('/held').map(({ messageId }) => messageId);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test('of a task that asks for at most one call none is made again, and the log says so', async () => {
  const { platform, replica, id } = await startHeldCall({ delivery: 'at_most_once' });
  await replica.kill();
  platform.sink.release('/held');
  await platform.startReplica();
  await endLeases(platform);
  await until(async () => (await platform.readLog(id)).length === 1);
  const [row] = await platform.readLog(id);
  expect(row?.status).toBe(failed);
  expect(row?.err).toMatch(/^LOST: /);
  expect(platform.sink.callsTo('/held')).toHaveLength(1);
});

test('a call under way at SIGTERM is let finish, and is not made again', async () => {
  const { platform, replica, id } = await startHeldCall({});
  const heir = await platform.startReplica();
  replica.signal('SIGTERM');
  await until(async () => (await replica.readLog()).some((line) => line.includes('"stopping"')));
  platform.sink.release('/held');
  expect(await replica.exited).toMatchObject({ exitCode: 0 });
  expect(await platform.readLog(id)).toMatchObject([{ status: succeeded, run_type: 3 }]);
  await platform.settle(heir);
  expect(platform.sink.callsTo('/held')).toHaveLength(1);
});

test('retries outlive the process', async () => {
  const platform = await startCrontabPlatform({ natsUrl: nats.url });
  const replica = await platform.startReplica();
  platform.sink.answer('/flaky', 500);
  const [id = ''] = await platform.addTasks(replica, [{ name: 'flaky', enable: 2, redo_param: '1 2' }]);
  await replica.post(crontabCalls.runAgainTask, { task_list: [{ name: 'flaky' }] });
  await until(async () => (await platform.readLog(id)).length === 1);
  await replica.kill();
  platform.sink.answer('/flaky', 200);
  await platform.startReplica();
  await until(async () => (await platform.readLog(id)).length === 2);
  const [first, second] = await platform.readLog(id);
  expect(first).toMatchObject({ status: failed, run_type: 3, try: 0 });
  expect(first?.err).toMatch(/^HTTP_STATUS: 500/);
  expect(second).toMatchObject({ status: succeeded, run_type: 2, try: 1, run_id: first?.run_id });
  expect((second?.begin_ms ?? 0) - (first?.end_ms ?? 0)).toBeGreaterThanOrEqual(1000);
});

/** Moves the schedule of stopped tasks into the past, as if nobody had been there for so long. */
async function goBack({ query }: CrontabPlatform, seconds: number): Promise<void> {
  await query(
    `update crontab_task set next_at = next_at - $1 * interval '1 s', last_at = last_at - $1 * interval '1 s',
       anchor_at = anchor_at - $1 * interval '1 s'`,
    [seconds],
  );
}

test('after a restart a late occurrence is called once within its window, and the earlier ones are told', async () => {
  const platform = await startCrontabPlatform({ natsUrl: nats.url });
  const before = await platform.startReplica();
  const hourly = { type: 3, start_time: '0 0 * * * *', time_zone: 'UTC' };
  const [late = '', tooLate = '', never = ''] = await platform.addTasks(before, [
    { name: 'late', ...hourly, misfire_window: 7200 },
    { name: 'too-late', ...hourly, misfire_window: 1 },
    { name: 'never', ...hourly, misfire: 'skip' },
  ]);
  await before.kill();
  await goBack(platform, 3 * 3600);
  await platform.startReplica();
  const rows = () => platform.readNumber('select count(*) from crontab_log');
  // Three of `late`: missed, and called; one of each other.
  await until(async () => (await rows()) === 4);

  const [gap, called] = await platform.readLog(late);
  expect([gap, called]).toMatchObject([
    { status: missed, missed: 2 },
    { status: succeeded, missed: 0 },
  ]);
  expect((called?.scheduled_ms ?? 0) - (gap?.scheduled_ms ?? 0)).toBe(2 * 3_600_000);
  expect((called?.begin_ms ?? 0) - (called?.scheduled_ms ?? 0)).toBeLessThan(3_600_000);
  for (const id of [tooLate, never]) {
    expect(await platform.readLog(id)).toMatchObject([{ status: missed, missed: 3 }]);
  }
  expect(platform.sink.calls.map(({ path }) => path)).toEqual(['/late']);
});

test('a replica that stood still calls nothing that was taken over from it', async () => {
  const { platform, lost: sleeper, heir } = await startPairUnderLoad(100);
  sleeper.signal('SIGSTOP');
  await waitForTakeover(platform);
  sleeper.signal('SIGCONT');
  const countCalls = () => readMetric(sleeper.metricsUrl, 'probe_crontab_calls_total', succeededPosts);
  const called = await countCalls();
  // It is at work again, so that what it held is behind it.
  await until(async () => (await countCalls()) > called);
  await platform.settle(heir);

  const log = await platform.readLog();
  const { twice, unexplained } = findCalledTwice(log, platform);
  expect(unexplained).toEqual([]);
  expect(findFaults(log, platform, twice)).toEqual([]);
});
