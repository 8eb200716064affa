// Tasks that are stopped: before they begin, while they run, and when they are over.
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { dispatchCalls } from '../../../../contracts/dispatch-api.ts';
import { createRunStore } from '../../../../services/dispatch/run/run-store.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/test-client.ts';
import {
  createDispatchClient,
  createDispatchServer,
  exampleHeaders,
  runOf,
  useDispatchApi,
} from './dispatch-api.ts';

const api = useDispatchApi();
const { tables, told } = api;
const done = { code: 0, content: {} };
const replica = '5d5b3b5e-0f0f-4c3e-8a51-1f5b7c1f0e11';

/** Plays the part of a replica: claims a run and begins it. */
async function beginRun() {
  const store = createRunStore(tables.database, replica);
  const [run] = await store.claim(1);
  if (run === undefined) throw new Error('there is no run to claim');
  expect(await store.begin(run.claim)).toBe('begun');
  return {
    id: run.taskId,
    /** Ends the run when it has been told to stop. */
    async stop(status: 2 | 4): Promise<void> {
      await until(async () => (await store.listStopWanted([run.taskId])).length > 0);
      await store.finish([{ claim: run.claim, verdict: { status, err: null, nodes: [] } }]);
    },
  };
}

test('what has not begun is over at once, and nobody runs it', async () => {
  const { content } = await api.call(dispatchCalls.run, runOf('a', { nodes: ['10.0.0.1', '10.0.0.2'] }));
  expect(await api.call(dispatchCalls.stop, { id: content.id, name: 'a' })).toEqual(done);
  const task = await tables.readTask(String(content.id));
  expect(task).toMatchObject({ status: 4, err: null, work: null });
  expect(task.ended_at).toBeInstanceOf(Date);
  expect(await tables.readNodes(task.id)).toMatchObject([{ status: 4 }, { status: 4 }]);
  expect(await tables.readRuns()).toEqual([]);
  expect(told.stops).toEqual([]);
});

test('what is under way is told to stop, and the reply comes when it has', async () => {
  await api.call(dispatchCalls.run, runOf('a'));
  const run = await beginRun();
  const stopped = api.call(dispatchCalls.stop, { name: 'a' });
  await until(async () => told.stops.length > 0);
  expect(await tables.readTask(run.id)).toMatchObject({ status: 1 });
  await run.stop(4);
  expect(await stopped).toEqual(done);
  expect(told.stops).toEqual([run.id]);
  expect(await tables.readTask(run.id)).toMatchObject({ status: 4 });
});

test('what succeeds meanwhile has succeeded', async () => {
  await api.call(dispatchCalls.run, runOf('a'));
  const run = await beginRun();
  const stopped = api.call(dispatchCalls.stop, { name: 'a' });
  await run.stop(2);
  expect(await stopped).toEqual(done);
  expect(await tables.readTask(run.id)).toMatchObject({ status: 2 });
});

test.each([2, 3, 4, 5])('what is over with status %i stays so', async (status) => {
  const { content } = await api.call(dispatchCalls.run, runOf('a'));
  await tables.query(sql`delete from dispatch_run`);
  await tables.query(sql`
    update dispatch_task set status = ${status}, ended_at = '2020-01-01', updated_at = '2020-01-01'`);
  expect(await api.call(dispatchCalls.stop, { id: content.id })).toEqual(done);
  expect(await tables.readTask(String(content.id))).toMatchObject({
    status,
    ended_at: new Date('2020-01-01'),
    updated_at: new Date('2020-01-01'),
  });
});

test('a run whose replica is gone is left for another one to clear up', async () => {
  const id = await tables.addTask({ name: 'a', status: 1, lapses: 1 });
  const stopped = api.call(dispatchCalls.stop, { name: 'a' });
  await until(async () => told.stops.length > 0);
  expect(await tables.readRuns()).toMatchObject([{ id, is_stop_wanted: true }]);
  await tables.query(sql`
    with gone as (delete from dispatch_run returning id)
    update dispatch_task task set status = 4 from gone where task.id = gone.id`);
  expect(await stopped).toEqual(done);
});

test('a run that somebody is just writing to is stopped all the same', async () => {
  const id = await tables.addTask({ name: 'a' });
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const { promise: locked, resolve: lock } = Promise.withResolvers<void>();
  const writing = tables.database.transact(async (db) => {
    await sql`select id from dispatch_run where id = ${id} for update`.execute(db);
    lock();
    await released;
  });
  await locked;
  const stopped = api.call(dispatchCalls.stop, { name: 'a' });
  await until(async () => {
    const [row] = await tables.query(sql<{ ran: boolean }>`
      select exists (select from pg_stat_activity where query like '%skip locked%' and pid <> pg_backend_pid()
        and datname = current_database()) as ran`);
    return row?.ran === true;
  });
  expect(await tables.readTask(id)).toMatchObject({ status: 0 });
  release();
  await writing;
  expect(await stopped).toEqual(done);
  expect(await tables.readTask(id)).toMatchObject({ status: 4 });
});

test('between waiting and running, a run is dropped or told to stop, and never both', async () => {
  const count = 20;
  const store = createRunStore(tables.database, replica);
  const names = Array.from({ length: count }, (_, index) => `race ${index}`);
  for (const name of names) await tables.addTask({ name });
  const begun = new Set<string>();
  const stops = names.map((name) => api.call(dispatchCalls.stop, { name }));
  for (let ended = 0; ended < count; ) {
    for (const { claim } of await store.claim(3)) {
      if ((await store.begin(claim)) === 'begun') begun.add(claim.id);
    }
    for (const run of await tables.readRuns()) {
      if (!run.is_stop_wanted) continue;
      const claim = { id: run.id, attempt: run.attempt };
      await store.finish([{ claim, verdict: { status: 4, err: 'was under way', nodes: [] } }]);
    }
    const [row] = await tables.query(sql<{ ended: number }>`
      select count(*)::integer as ended from dispatch_task where status = 4`);
    ended = row?.ended ?? 0;
  }
  expect(await Promise.all(stops)).toEqual(names.map(() => done));
  const rows = await tables.query(sql<{ id: string; err: string | null }>`
    select id, err from dispatch_task where started_at is not null`);
  expect(new Set(rows.map(({ id }) => id))).toEqual(begun);
  expect(rows.filter(({ err }) => err === null)).toEqual([]);
  expect(await tables.readRuns()).toEqual([]);
});

test('many stops of one task are all answered', async () => {
  await api.call(dispatchCalls.run, runOf('a'));
  const run = await beginRun();
  const stops = Array.from({ length: 20 }, () => api.call(dispatchCalls.stop, { name: 'a' }));
  await run.stop(4);
  expect(await Promise.all(stops)).toEqual(Array.from({ length: 20 }, () => done));
});

describe('a task of several nodes', () => {
  const nodes = ['10.0.0.1', '10.0.0.2', '10.0.0.3'];

  test('is stopped on all of them', async () => {
    const { content } = await api.call(dispatchCalls.parallelRun, runOf('a', { nodes }));
    const run = await beginRun();
    const stopped = api.call(dispatchCalls.stop, { id: content.id });
    await run.stop(4);
    expect(await stopped).toEqual(done);
    const rows = await tables.query(sql<{ status: number }>`
      select status from dispatch_task where not is_parent order by id`);
    expect(rows.map(({ status }) => status)).toEqual([4, 4, 4]);
    expect(await tables.readRuns()).toEqual([]);
    expect(told.stops).toEqual([run.id]);
  });

  test('goes on but for the one that is stopped', async () => {
    const { content } = await api.call(dispatchCalls.parallelRun, runOf('a', { nodes }));
    await api.call(dispatchCalls.stop, { name: '10.0.0.2_a' });
    expect((await api.call(dispatchCalls.check, { id: content.id })).content).toMatchObject({ status: 1 });
    expect(await tables.readRuns()).toHaveLength(2);
  });
});

describe('a wait', () => {
  function startServer(stopWaitMs: number) {
    const { database, logger } = tables;
    const limits = {
      maxForks: 1,
      defaultUser: 'root',
      runTimeoutMs: 1000,
      queueTimeoutMs: 60_000,
      stopWaitMs,
    };
    const server = keepUntilTestEnd(
      createDispatchServer({ database, logger, limits, onStopWanted: (id) => void told.stops.push(id) }),
    );
    return server.start().then(() => server);
  }

  test('ends when it takes too long, and the stop is wanted still', async () => {
    const server = await startServer(100);
    const id = await tables.addTask({ name: 'a', status: 1, leasedFor: 30_000 });
    expect(await createDispatchClient(server.url).ask('stop', { name: 'a' })).toEqual({
      status: 500,
      reply: { code: -1, message: 'task is still being stopped' },
    });
    expect(await tables.readRuns()).toMatchObject([{ id, is_stop_wanted: true }]);
  });

  test('ends when the service stops', async () => {
    const server = await startServer(60_000);
    await tables.addTask({ name: 'a', status: 1, leasedFor: 30_000 });
    const answer = createDispatchClient(server.url).ask('stop', { name: 'a' });
    await until(async () => told.stops.length > 0);
    await server.stop();
    expect(await answer).toEqual({
      status: 500,
      reply: { code: -1, message: 'the service is being stopped' },
    });
  });

  test('ends when the caller leaves', async () => {
    const server = await startServer(60_000);
    await tables.addTask({ name: 'a', status: 1, leasedFor: 30_000 });
    const leaving = new AbortController();
    const left = fetch(`${server.url()}/api/stop`, {
      method: 'POST',
      body: '{"name":"a"}',
      headers: exampleHeaders,
      signal: leaving.signal,
    });
    await until(async () => told.stops.length > 0);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await until(async () =>
      tables.logged.some(({ msg, code }) => msg === 'refused' && code === 'UNAVAILABLE'),
    );
  });
});
