// A replica from the claim of a job to its end, on a real Postgres; what is computed is ended by the tests.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { createMetrics } from '../../../../infra/metrics.ts';
import { createJobRuns } from '../../../../services/job/run/job-runs.ts';
import { keepUntilTestEnd } from '../../../helpers/cleanup.ts';
import { until } from '../../../helpers/test-client.ts';
import { useJobTables } from '../job-tables.ts';
import { createScriptedWork, type ScriptedWork } from './scripted-work.ts';

const tables = useJobTables();
let work: ScriptedWork;
beforeEach(() => {
  work = createScriptedWork();
});

type ReplicaOptions = {
  threads?: number;
  timeoutMs?: number;
  isConnected?: () => boolean;
  by?: ScriptedWork;
};

async function startReplica(options: ReplicaOptions = {}) {
  const { threads = 2, timeoutMs = 60_000, isConnected = () => true, by = work } = options;
  const metrics = createMetrics();
  const runs = keepUntilTestEnd(
    createJobRuns({
      database: tables.database,
      upkeepDatabase: tables.database,
      compute: by.compute,
      computeApart: by.computeApart,
      probe: by.probe,
      isBusConnected: isConnected,
      replica: randomUUID(),
      threads,
      probes: 1,
      timeoutMs,
      retentionHours: 2,
      metrics,
      logger: tables.logger,
    }),
  );
  // What is under way would be waited for.
  onTestFinished(by.endAll);
  await runs.start();
  return { ...runs, metrics };
}

async function addJobs(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let index = 0; index < count; index += 1) {
    ids.push((await tables.addJob({ request: Buffer.from(`job ${index}`) })).id);
  }
  return ids;
}
const begun = (count: number) => until(async () => work.calls.length >= count);
const hasEnded = (id: string) => until(async () => (await tables.readJob(id)).ended_at !== null);
const endLeases = () =>
  tables.query(sql`update job_run set lease_until = now() - interval '1 s' where state = 1`);

describe('a job', () => {
  test('is worked on, and ends with the result or with the reason why there is none', async () => {
    const [first, second] = await addJobs(2);
    const probe = await tables.addJob({ type: 'dns_result', request: Buffer.from('names') });
    const { metrics } = await startReplica();
    await begun(3);
    const call = (text: string) => work.calls.find((each) => each.text === text);
    call('job 0')?.end({ ok: true, result: Buffer.from('{"a":"\\u0000"}') });
    call('job 1')?.end({ ok: false, info: 'no \0 way' });
    call('names')?.end({ ok: true, result: Buffer.alloc(100_000, 7) });
    for (const id of [first, second, probe.id]) await hasEnded(id ?? '');
    expect(await tables.readJobs()).toMatchObject([
      {
        state: 'SUCCESS',
        result: Buffer.from('{"a":"\\u0000"}'),
        info: null,
        request: null,
        started_at: expect.any(Date),
      },
      { state: 'FAILURE', result: null, info: 'no  way', request: null },
      { state: 'SUCCESS', result: Buffer.alloc(100_000, 7) },
    ]);
    expect(await tables.readRuns()).toEqual([]);
    const text = await metrics.registry.metrics();
    expect(text).toContain('probe_job_ended_total{type="bod_pasta",outcome="success"} 1');
    expect(text).toContain('probe_job_ended_total{type="bod_pasta",outcome="failure"} 1');
    expect(text).toContain('probe_job_fenced_total 0');
  });

  test('of a large request is worked on like any other', async () => {
    const request = Buffer.alloc(300_000, 'x');
    const { id } = await tables.addJob({ request });
    await startReplica();
    await begun(1);
    expect(work.calls[0]?.text).toBe(request.toString());
    work.endAll();
    await hasEnded(id);
  });

  test('that takes too long fails, and says what it waited for', async () => {
    const { id } = await tables.addJob();
    await startReplica({ timeoutMs: 200 });
    await hasEnded(id);
    expect(work.calls[0]?.signal.aborted).toBe(true);
    expect(await tables.readJob(id)).toMatchObject({ state: 'FAILURE', info: 'took longer than 0.2 s' });
  });

  test('is cancelled here by its id, elsewhere by its row, and before it was claimed again by neither', async () => {
    const [here, elsewhere] = await addJobs(2);
    const marked = await tables.addJob({ isStopWanted: true });
    const runs = await startReplica();
    await begun(2);
    runs.cancel(here ?? '');
    await tables.query(sql`update job_run set is_stop_wanted = true where id = ${elsewhere}`);
    for (const id of [here, elsewhere, marked.id]) await hasEnded(id ?? '');
    expect(work.calls.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    for (const job of await tables.readJobs())
      expect(job).toMatchObject({ state: 'FAILURE', info: 'cancelled' });
  });
});

describe('a replica', () => {
  test('tells of a job that it has begun it', async () => {
    const { id } = await tables.addJob();
    await startReplica();
    await until(async () => (await tables.readJob(id)).started_at !== null);
    expect(await tables.readJob(id)).toMatchObject({ state: 'PENDING' });
  });

  test('gives back what it has no place for, so that another one works on it', async () => {
    await addJobs(3);
    await startReplica({ threads: 1 });
    await begun(1);
    const other = createScriptedWork();
    await startReplica({ threads: 2, by: other });
    await until(async () => other.calls.length === 2);
    expect(work.calls).toHaveLength(1);
  });

  test('hands back at its stop what it has not ended, no lapse counted', async () => {
    await addJobs(2);
    const runs = await startReplica({ threads: 1 });
    await begun(1);
    await runs.stop();
    expect(work.calls.map(({ signal }) => signal.aborted)).toEqual([true]);
    expect(await tables.readRuns()).toMatchObject([
      { state: 0, lapses: 0, lease_until: null },
      { state: 0, lapses: 0, lease_until: null },
    ]);
    expect(await tables.readJobs()).toMatchObject([{ state: 'PENDING' }, { state: 'PENDING' }]);
  });

  test('works apart on what was there when a worker died, and goes on with what is its own', async () => {
    await tables.addJob({ lapses: 1, request: Buffer.from('suspect') });
    const own = await tables.addJob({ request: Buffer.from('own') });
    await startReplica({ threads: 3 });
    await begun(2);
    expect(work.calls.map(({ text, isApart }) => ({ text, isApart }))).toEqual([
      { text: 'suspect', isApart: true },
      { text: 'own', isApart: false },
    ]);
    // Leases run out here, and nobody else takes the jobs.
    await endLeases();
    await until(async () => (await tables.readRuns()).every(({ attempt }) => attempt === 2));
    work.endAll();
    await hasEnded(own.id);
    expect(work.calls).toHaveLength(2);
    expect(await tables.readJob(own.id)).toMatchObject({ state: 'SUCCESS' });
  });

  test('forgets results that were kept long enough', async () => {
    await tables.addJob({ state: 'SUCCESS', endedIn: -3 * 3_600_000, result: {} });
    const kept = await tables.addJob({ state: 'SUCCESS', endedIn: -3_600_000, result: {} });
    await startReplica();
    await until(async () => (await tables.readJobs()).length === 1);
    expect(await tables.readJobs()).toMatchObject([{ id: kept.id }]);
  });

  test('claims no probes while the bus is away', async () => {
    let isConnected = false;
    const probe = await tables.addJob({ type: 'dns_result' });
    const { id } = await tables.addJob();
    const runs = await startReplica({ isConnected: () => isConnected });
    work.endAll();
    await hasEnded(id);
    expect(await tables.readRuns()).toMatchObject([{ id: probe.id, attempt: 0 }]);
    isConnected = true;
    runs.wake(1);
    await hasEnded(probe.id);
  });

  test('ends thousands of short jobs, each of them once', async () => {
    const count = 3000;
    await tables.query(sql`
      with job as (
        insert into job_task (type, request_hash, request)
        select 'bod_pasta', '', convert_to('job ' || n, 'UTF8') from generate_series(1, ${count}) n returning id)
      insert into job_run (id, lane, expires_at) select id, 0, now() + interval '1 h' from job`);
    work.endAll();
    await startReplica();
    await until(async () => (await tables.readRuns()).length === 0);
    expect(new Set(work.calls.map(({ text }) => text)).size).toBe(count);
    expect(work.calls).toHaveLength(count);
    const [ended] = await tables.query(sql<{ count: number }>`
      select count(*)::integer as count from job_task where state = 'SUCCESS' and convert_from(result, 'UTF8') like 'job %, done'`);
    expect(ended).toEqual({ count });
  });
});
