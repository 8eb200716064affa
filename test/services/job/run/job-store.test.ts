// What a replica writes of jobs: only of those that are its own.
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { JobOutcome } from '../../../../services/job/job-outcome.ts';
import { buryJobs, reapJobs } from '../../../../services/job/run/clear-jobs.ts';
import { createJobStore, type FinishedJob } from '../../../../services/job/run/job-store.ts';
import { useJobTables } from '../job-tables.ts';

const tables = useJobTables();
const storeOf = () => createJobStore(tables.database, randomUUID());
const result = (text: string): JobOutcome => ({ ok: true, result: Buffer.from(text) });
const finished = (claim: FinishedJob['claim'], outcome: JobOutcome): FinishedJob => ({
  claim,
  type: 'bod_pasta',
  outcome,
  tookMs: 1500,
});

describe('a claim', () => {
  test('takes the jobs of its lane, the longest due first, with requests that are not large', async () => {
    const late = await tables.addJob({ dueIn: -1000, request: Buffer.from('late') });
    const later = await tables.addJob({ dueIn: -2000, request: Buffer.alloc(65_537) });
    await tables.addJob({ type: 'dns_result' });
    await tables.addJob({ leasedFor: 1000 });
    const store = storeOf();
    expect(await store.claim(0, 10)).toEqual([
      {
        claim: { id: later.id, attempt: 1 },
        taskId: later.taskId,
        type: 'bod_pasta',
        request: undefined,
        isStopWanted: false,
        lapses: 0,
      },
      {
        claim: { id: late.id, attempt: 1 },
        taskId: late.taskId,
        type: 'bod_pasta',
        request: Buffer.from('late'),
        isStopWanted: false,
        lapses: 0,
      },
    ]);
    expect(await store.readRequest(later.id)).toEqual(Buffer.alloc(65_537));
    expect(await store.claim(1, 10)).toMatchObject([{ type: 'dns_result' }]);
  });
});

describe('an end', () => {
  test('is stored once, with the time that the job took', async () => {
    const { id } = await tables.addJob();
    const store = storeOf();
    const [job] = await store.claim(0, 1);
    if (job === undefined) throw new Error('nothing was claimed');
    expect(await store.finish([finished(job.claim, result('[1]'))])).toBe(1);
    expect(await store.finish([finished(job.claim, result('[2]'))])).toBe(0);
    const { started_at: startedAt, ended_at: endedAt, ...ended } = await tables.readJob(id);
    expect(ended).toMatchObject({ state: 'SUCCESS', result: Buffer.from('[1]'), request: null });
    expect((endedAt?.getTime() ?? 0) - (startedAt?.getTime() ?? 0)).toBe(1500);
    expect(await store.readRequest(id)).toBeUndefined();
  });

  test('of a job that is another’s by now changes nothing, beside others that do', async () => {
    const first = await tables.addJob();
    const second = await tables.addJob();
    const slow = storeOf();
    const claimed = await slow.claim(0, 2);
    await tables.query(sql`update job_run set lease_until = now() - interval '1 s' where id = ${first.id}`);
    await reapJobs(tables.database);
    const [again] = await storeOf().claim(0, 1);
    expect(again).toMatchObject({ claim: { id: first.id, attempt: 2 }, lapses: 1 });
    const ends = claimed.map(({ claim }) => finished(claim, result(`job ${claim.id}`)));
    expect(await slow.finish(ends)).toBe(1);
    expect(await tables.readJob(first.id)).toMatchObject({ state: 'PENDING', result: null });
    expect(await tables.readJob(second.id)).toMatchObject({ result: Buffer.from(`job ${second.id}`) });
  });
});

describe('a look at the jobs that are worked on', () => {
  test('notes since when, once, and tells which are to be stopped', async () => {
    const { id } = await tables.addJob({ leasedFor: 10_000 });
    const wanted = await tables.addJob({ leasedFor: 10_000, isStopWanted: true });
    const store = storeOf();
    expect(await store.watch([id, wanted.id], [{ id, forMs: 5000 }])).toEqual([wanted.id]);
    const [row] = await tables.query(sql<{ ageS: number }>`
      select extract(epoch from now() - started_at)::float8 as "ageS" from job_task where id = ${id}`);
    expect(row?.ageS).toBeGreaterThanOrEqual(5);
    const { started_at: startedAt } = await tables.readJob(id);
    await store.watch([id], [{ id, forMs: 1 }]);
    expect((await tables.readJob(id)).started_at).toEqual(startedAt);
  });

  test('keeps one that began in time from being too late when it is handed back', async () => {
    const begun = await tables.addJob();
    const waiting = await tables.addJob();
    const store = storeOf();
    const claimed = await store.claim(0, 2);
    await store.watch([begun.id, waiting.id], [{ id: begun.id, forMs: 1 }]);
    await tables.query(sql`update job_run set expires_at = expires_at - interval '2 h'`);
    await store.release(claimed.map(({ claim }) => claim));
    expect(await buryJobs(tables.database)).toBe(1);
    expect(await tables.readJob(waiting.id)).toMatchObject({ state: 'FAILURE' });
    expect(await store.claim(0, 2)).toMatchObject([{ taskId: begun.taskId }]);
  });
});
