// Tasks from their times to their calls, with real callbacks over HTTP and a real Postgres, in this process.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeEach, describe, expect, test } from 'vitest';
import { createDatabase, type Database } from '../../../../infra/database/database.ts';
import { createMetrics, type Metrics } from '../../../../infra/metrics.ts';
import { createCrontabRuns } from '../../../../services/crontab/run/crontab-runs.ts';
import { messageIdOf } from '../../../../services/crontab/run/run-store.ts';
import { type CallbackSink, startCallbackSink } from '../../../helpers/callback-sink.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/test-client.ts';
import { createTestCaller } from '../callback/callback-setup.ts';
import { type CrontabTaskRow, useCrontabTables } from '../crontab-tables.ts';

const tables = useCrontabTables();
const secondMs = 1000;
let sink: CallbackSink;

beforeEach(async () => {
  sink = keepUntilTestEnd(await startCallbackSink());
});

/** A replica, until the test ends. */
function createReplica(database: Database = tables.database, metrics: Metrics = createMetrics()) {
  return keepUntilTestEnd(
    createCrontabRuns({
      database,
      upkeepDatabase: database,
      caller: createTestCaller(),
      replica: randomUUID(),
      concurrency: 200,
      retentionDays: 15,
      metrics,
      logger: tables.logger,
    }),
  );
}

/** A task whose callback is a path of the sink. */
function addTask(path: string, row: CrontabTaskRow = {}): Promise<string> {
  return tables.addTask({ url: `${sink.url}${path}`, target: sink.url, ...row });
}

/** Tasks of every second from the next one on, each with a path of its own. */
async function addEverySecond(
  count: number,
  row: CrontabTaskRow = {},
): Promise<{ id: string; path: string }[]> {
  const anchorAt = Math.floor((await tables.readNow()) / secondMs) * secondMs;
  const schedule = { start_time: '@every 1s', anchorAt, nextAt: anchorAt + secondMs };
  const tasks: { id: string; path: string }[] = [];
  for (let index = 0; index < count; index += 1) {
    const path = `/${index}`;
    tasks.push({ path, id: await addTask(path, { ...schedule, ...row }) });
  }
  return tasks;
}

/** A run of the task that is due in so many milliseconds. */
const addRun = (taskId: string, dueIn = 0) => tables.addRun({ taskId, target: sink.url, dueIn });

/** Every second of every task that was called, or that the log tells of as not called; twice is a fault. */
async function findGaps(): Promise<string[]> {
  const faults: string[] = [];
  const byTask = Map.groupBy(await tables.readLog(), ({ task_id: id }) => id);
  for (const [id, rows] of byTask) {
    let next = rows[0]?.scheduled_at.getTime();
    for (const { scheduled_at: at, missed, status } of rows) {
      if (at.getTime() !== next)
        faults.push(`task ${id}: ${at.toISOString()} follows the second before ${next}`);
      next = at.getTime() + (status === 5 ? missed : 1) * secondMs;
    }
  }
  return faults;
}

describe('tasks of every second', () => {
  test('are called once in each of them, not before it, and each call is in the log', async () => {
    const tasks = await addEverySecond(20);
    const replica = createReplica();
    await replica.start();
    await until(async () => tasks.every(({ path }) => sink.callsTo(path).length >= 3));
    await replica.stop();
    expect(await findGaps()).toEqual([]);
    const log = await tables.readLog();
    const called = log.filter(({ status }) => status === 2);
    expect(sink.calls.map(({ messageId }) => messageId).toSorted()).toEqual(
      called.map((row) => messageIdOf(row.run_id)).toSorted(),
    );
    const lateness = called.map((row) => row.begin_at.getTime() - row.scheduled_at.getTime());
    expect(Math.min(...lateness)).toBeGreaterThanOrEqual(0);
    expect(replica.isScheduling()).toBe(true);
  });

  test('by two replicas at once are called once in each of them', async () => {
    const other = keepUntilTestEnd(
      createDatabase({ url: tables.url, maxConnections: 4, logger: tables.logger }),
    );
    const tasks = await addEverySecond(40, { overlap: 'allow' });
    const replicas = [createReplica(), createReplica(other)];
    await Promise.all(replicas.map((replica) => replica.start()));
    await until(async () => tasks.every(({ path }) => sink.callsTo(path).length >= 4));
    await Promise.all(replicas.map((replica) => replica.stop()));
    expect(await findGaps()).toEqual([]);
    const ids = sink.calls.map(({ messageId }) => messageId);
    expect(new Set(ids).size).toBe(ids.length);
    const seconds = (await tables.readLog()).map((row) => `${row.task_id} ${row.scheduled_at.getTime()}`);
    expect(new Set(seconds).size).toBe(seconds.length);
    const claimants = await tables.query(sql`select from crontab_run where state = 1`);
    expect(claimants).toEqual([]);
  });

  test('whose call takes longer are passed over until it has ended, and the log says so', async () => {
    const [task] = await addEverySecond(1);
    sink.hold('/0');
    await createReplica().start();
    await until(async () => (await tables.readLog()).filter(({ status }) => status === 4).length >= 2);
    expect(sink.callsTo('/0')).toHaveLength(1);
    sink.release('/0');
    await until(async () => sink.callsTo('/0').length >= 3);
    expect(await findGaps()).toEqual([]);
    expect(task?.id).toBeDefined();
  });
});

describe('a call that fails', () => {
  test('is made again after each of the delays of its task, counted from the failure, under one id', async () => {
    const id = await addTask('/bad', { redo_param: '0.3 0.6 0' });
    sink.answer('/bad', 500);
    const run = await addRun(id);
    await createReplica().start();
    await until(async () => (await tables.readLog()).length === 4);
    const log = await tables.readLog();
    expect(log.map((row) => [row.run_id, row.try, row.run_type, row.status, row.resp_code])).toEqual([
      [run, 0, 1, 3, 500],
      [run, 1, 2, 3, 500],
      [run, 2, 2, 3, 500],
      [run, 3, 2, 3, 500],
    ]);
    const pauses = log.slice(1).map((row, index) => row.begin_at.getTime() - Number(log[index]?.end_at));
    // Stored times are cut to milliseconds.
    expect(pauses[0]).toBeGreaterThanOrEqual(299);
    expect(pauses[1]).toBeGreaterThanOrEqual(599);
    expect(new Set(sink.calls.map(({ messageId }) => messageId))).toEqual(new Set([messageIdOf(run)]));
    expect(await tables.readRuns()).toEqual([]);
  });

  test('is not made again once it succeeds, nor once its task is disabled', async () => {
    const soon = await addTask('/soon', { redo_param: '0 0 0' });
    const paused = await addTask('/paused', { redo_param: '0 0 0' });
    for (const path of ['/soon', '/paused']) {
      sink.answer(path, 503);
      sink.hold(path);
    }
    await addRun(soon);
    await addRun(paused);
    await createReplica().start();
    await until(async () => sink.calls.length === 2);
    await tables.query(sql`update crontab_task set enable = 2 where task_id = ${paused}`);
    sink.release('/paused');
    sink.release('/soon');
    sink.answer('/soon', 200);
    await until(async () => (await tables.readRuns()).length === 0);
    const log = (await tables.readLog()).map((row) => [
      row.task_id,
      row.try,
      row.status,
      row.err.split(':')[0],
    ]);
    expect(log).toEqual([
      [soon, 0, 3, 'HTTP_STATUS'],
      [soon, 1, 2, ''],
      [paused, 0, 3, 'HTTP_STATUS'],
      [paused, 1, 4, 'CANCELLED'],
    ]);
  });
});

test('what was due while nobody was there is called once, and what came before it is in the log', async () => {
  const anchorAt = Math.floor((await tables.readNow()) / secondMs) * secondMs - 3_600_000;
  const fields = { anchorAt, nextAt: anchorAt + 600_000, start_time: '@every 10m' };
  const within = await addTask('/within', fields);
  const after = await addTask('/after', { ...fields, start_time: '@every 59m', misfire: 'skip' });
  await createReplica().start();
  await until(async () => (await tables.readLog()).length === 3);
  const log = (await tables.readLog()).map((row) => [row.task_id, row.status, row.missed]);
  expect(log.toSorted()).toEqual(
    [
      [within, 5, 5],
      [within, 2, 0],
      [after, 5, 1],
    ].toSorted(),
  );
  expect(sink.calls.map(({ path }) => path)).toEqual(['/within']);
});

test('a run whose replica died during its call is called once more under the same id, or not where it must not', async () => {
  const again = await addTask('/again');
  const once = await addTask('/once', { delivery: 'at_most_once' });
  const lost = { target: sink.url, leasedFor: -1, attempt: 1 };
  const run = await tables.addRun({ taskId: again, ...lost });
  await tables.addRun({ taskId: once, ...lost, lapses: 2 });
  await createReplica().start();
  await until(async () => (await tables.readLog()).length === 2);
  expect(sink.calls).toMatchObject([{ path: '/again', messageId: messageIdOf(run) }]);
  expect((await tables.readLog()).map((row) => [row.task_id, row.status, row.run_type])).toEqual([
    [again, 2, 2],
    [once, 3, 1],
  ]);
});

test('a run that somebody adds is called at once when that is told', async () => {
  const id = await addTask('/now');
  const replica = createReplica();
  await replica.start();
  await until(async () => replica.isScheduling());
  await addRun(id);
  replica.wake();
  await until(async () => sink.calls.length === 1);
});

describe('a stop', () => {
  test('waits for calls under way, and hands back what has not begun', async () => {
    const slow = await addTask('/slow');
    sink.hold('/slow');
    await addRun(slow);
    const replica = createReplica();
    await replica.start();
    await until(async () => sink.calls.length === 1);
    // A run that is held, and not due yet.
    const later = await addTask('/later', { overlap: 'allow' });
    let run = '';
    await until(async () => {
      await tables.query(sql`delete from crontab_run where task_id = ${later} and state = 0`);
      run = await addRun(later, 450);
      replica.wake();
      await until(async () => (await tables.readRuns()).some((row) => row.id === run && row.state === 1));
      const [held] = await tables.query(
        sql`select from crontab_run where id = ${run} and due_at > now() + interval '0.1 s'`,
      );
      return held !== undefined;
    });
    const stopped = replica.stop();
    const before = sink.callsTo('/later').length;
    sink.release('/slow');
    await stopped;
    expect(sink.callsTo('/later')).toHaveLength(before);
    expect(await tables.readRuns()).toMatchObject([{ id: run, state: 0, lapses: 0, claimed_by: null }]);
    expect((await tables.readLog()).find((row) => row.task_id === slow)).toMatchObject({ status: 2 });
    await createReplica().start();
    await until(async () => sink.callsTo('/later').length === before + 1);
  });
});

test('the metrics tell of what is planned, called, missed, passed over and left', async () => {
  const metrics = createMetrics();
  const anchorAt = Math.floor((await tables.readNow()) / secondMs) * secondMs - 60_000;
  const fields = { anchorAt, nextAt: anchorAt + 30_000, start_time: '@every 30s' };
  await addTask('/due', fields);
  const busy = await addTask('/busy', fields);
  await tables.addRun({ taskId: busy, leasedFor: 60_000, target: sink.url });
  await tables.addRun({ expiresIn: -1 });
  await createReplica(tables.database, metrics).start();
  const read = async (name: string) => {
    const values = (await metrics.registry.getSingleMetric(name)?.get())?.values ?? [];
    return values.reduce((sum, { value }) => sum + value, 0);
  };
  await until(async () => (await read('probe_crontab_calls_total')) === 1);
  expect(await read('probe_crontab_runs_planned_total')).toBe(1);
  expect(await read('probe_crontab_missed_total')).toBe(2);
  expect(await read('probe_crontab_skipped_total')).toBe(1);
  await until(async () => (await read('probe_crontab_runs_buried_total')) === 1);
  await until(async () => (await read('probe_crontab_partitions_days_ahead')) === 3);
});
