// Jobs in the hands of a replica, without a database.
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { createHeldJobs } from '../../../../services/job/run/held-jobs.ts';
import type { ClaimedJob, FinishedJob } from '../../../../services/job/run/job-store.ts';
import { createScriptedWork } from './scripted-work.ts';

function hold({ places = 1 } = {}) {
  const work = createScriptedWork();
  const finished: FinishedJob[] = [];
  const held = createHeldJobs({
    places,
    limitMs: 60_000,
    work: (job, signal) => work.probe(Buffer.from(job.taskId), signal),
    onFinished: (job) => finished.push(job),
    logger: pino({ level: 'silent' }),
  });
  return { work, finished, ...held };
}

function jobOf(id: number, attempt = 1): ClaimedJob {
  const claim = { id: String(id), attempt };
  return {
    claim,
    taskId: `job ${id}`,
    type: 'bod_pasta',
    request: undefined,
    isStopWanted: false,
    lapses: 0,
  };
}
const take = (held: ReturnType<typeof hold>, ...jobs: ClaimedJob[]) => {
  for (const job of jobs) held.take(job, performance.now());
};

describe('a job that is another’s by now', () => {
  test('is cut, let go of, and told nothing of', async () => {
    const held = hold();
    take(held, jobOf(1), jobOf(2), jobOf(3));
    held.renewed?.({
      kept: [jobOf(3).claim],
      lost: [jobOf(1).claim, jobOf(2).claim],
      sentAtMs: performance.now(),
    });
    expect(held.work.calls[0]?.signal.aborted).toBe(true);
    await expect.poll(() => held.work.calls.length).toBe(2);
    expect(held.work.calls[1]?.text).toBe('job 3');
    expect(held.claims()).toEqual([jobOf(3).claim]);
    expect(held.finished).toEqual([]);
    await held.settle(0);
  });

  test('and then this replica’s once more, is gone on with, and ends under the new claim', async () => {
    const held = hold();
    take(held, jobOf(1), jobOf(1, 2));
    held.work.endAll();
    await expect.poll(() => held.finished.length).toBe(1);
    expect(held.done()).toMatchObject([{ claim: { id: '1', attempt: 2 } }]);
    take(held, jobOf(1, 3));
    expect(held.done()).toMatchObject([{ claim: { id: '1', attempt: 3 } }]);
    expect(held.work.calls).toHaveLength(1);
    held.drop([jobOf(1, 2).claim]);
    expect(held.count()).toBe(1);
    held.drop([jobOf(1, 3).claim]);
    expect(held.count()).toBe(0);
  });
});

describe('what has ended', () => {
  test('is stored in parts that are not too large, and later where it could not be', async () => {
    const held = hold({ places: 3 });
    take(held, jobOf(1), jobOf(2), jobOf(3));
    const large = { ok: true, result: Buffer.alloc(5 * 1024 * 1024) } as const;
    for (const call of held.work.calls) call.end(large);
    await expect.poll(() => held.finished.length).toBe(3);
    const ids = () => held.done().map(({ claim: { id } }) => id);
    expect(ids()).toEqual(['1']);
    held.putOff(jobOf(1).claim);
    expect(ids()).toEqual(['2']);
    held.drop([jobOf(2).claim, jobOf(3).claim]);
    expect(ids()).toEqual([]);
    expect(held.claims()).toEqual([jobOf(1).claim]);
  });
});

describe('a stop', () => {
  test('waits for what is nearly done, and begins nothing any more', async () => {
    const held = hold();
    take(held, jobOf(1), jobOf(2));
    const settled = held.settle(60_000);
    held.work.calls[0]?.end({ ok: true, result: Buffer.from('done') });
    await settled;
    expect(held.finished).toMatchObject([{ claim: jobOf(1).claim, outcome: { ok: true } }]);
    expect(held.claims()).toEqual([jobOf(1).claim, jobOf(2).claim]);
    expect(held.work.calls).toHaveLength(1);
  });
});
