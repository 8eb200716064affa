// What becomes of jobs that nobody ends, and of results that are old.
import { describe, expect, test } from 'vitest';
import { buryJobs, clearJobs, reapJobs } from '../../../../services/job/run/clear-jobs.ts';
import { useJobTables } from '../job-tables.ts';

const tables = useJobTables();

describe('a job whose lease ran out', () => {
  test('is made ready again, until three workers died while they had it', async () => {
    const first = await tables.addJob({ leasedFor: -1000 });
    const third = await tables.addJob({ leasedFor: -1000, lapses: 2 });
    await tables.addJob({ leasedFor: 10_000 });
    expect(await reapJobs(tables.database)).toBe(1);
    expect(await tables.readRuns()).toMatchObject([
      { id: first.id, state: 0, lapses: 1 },
      { id: third.id, state: 1, lapses: 2 },
      { state: 1, lapses: 0 },
    ]);
    expect(await buryJobs(tables.database)).toBe(1);
    expect(await tables.readJob(third.id)).toMatchObject({
      state: 'FAILURE',
      info: 'its worker died 3 times',
      request: null,
      ended_at: expect.any(Date),
    });
    expect(await tables.readRuns()).toMatchObject([{ id: first.id }, { state: 1 }]);
  });
});

describe('a job that waited for too long', () => {
  test('fails, unless somebody has it', async () => {
    const { id } = await tables.addJob({ expiresIn: -1 });
    const wanted = await tables.addJob({ expiresIn: -1, isStopWanted: true });
    const held = await tables.addJob({ expiresIn: -1, leasedFor: 10_000 });
    expect(await buryJobs(tables.database)).toBe(2);
    expect(await tables.readJob(id)).toMatchObject({
      state: 'FAILURE',
      info: 'expired: nobody had room for it in time',
    });
    expect(await tables.readJob(wanted.id)).toMatchObject({ state: 'FAILURE', info: 'cancelled' });
    expect(await tables.readJob(held.id)).toMatchObject({ state: 'PENDING' });
  });
});

describe('jobs that ended long ago', () => {
  test('are forgotten, batch by batch; others are kept', async () => {
    const hourMs = 3_600_000;
    await tables.addJob({ state: 'SUCCESS', endedIn: -3 * hourMs, result: {} });
    await tables.addJob({ state: 'FAILURE', endedIn: -3 * hourMs });
    const recent = await tables.addJob({ state: 'SUCCESS', endedIn: -hourMs, result: {} });
    const open = await tables.addJob();
    expect(await clearJobs(tables.database, { retentionHours: 2, limit: 1 })).toEqual({
      cleared: 1,
      hasMore: true,
    });
    expect(await clearJobs(tables.database, { retentionHours: 2 })).toEqual({ cleared: 1, hasMore: false });
    expect(await tables.readJobs()).toMatchObject([{ id: recent.id }, { id: open.id }]);
  });
});
