// What a replica does with its runs, on a store and with a caller that do what the test says, by a clock of the test.
import { DatabaseError } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProbeTaskError } from '../../../../contracts/errors.ts';
import type { Claim } from '../../../../infra/database/lease-table.ts';
import { createMetrics, type Metrics } from '../../../../infra/metrics.ts';
import type { Callback, CallbackOutcome } from '../../../../services/crontab/callback/caller.ts';
import { createCallMaker } from '../../../../services/crontab/run/make-calls.ts';
import type { ClaimedRun, FinishedCall, RunStore } from '../../../../services/crontab/run/run-store.ts';
import { callbackOf, outcomeOf, pass, startMs } from './use-held-calls.ts';

const concurrency = 40;

/** Runs that wait to be claimed. */
let waiting: ClaimedRun[];
let claimed: string[];
let finished: FinishedCall[];
let released: string[];
let called: string[];
/** Targets that do not answer until the test says so. */
let silent: Map<string, PromiseWithResolvers<void>>;
/** What is done before calls are stored; replaced by tests. */
let beforeFinish: (calls: FinishedCall[]) => Promise<void>;
/** Runs that others have claimed since. */
let fenced: Set<string>;
let logged: { level: number; msg: string; run?: string }[];
let metrics: Metrics;
let calls: ReturnType<typeof createCallMaker>;
let nextId: number;

const store: RunStore = {
  async claim(limit, exceptTargets) {
    const nowMs = startMs + performance.now();
    const isFree = ({ target, dueAt }: ClaimedRun) => !exceptTargets.includes(target) && dueAt <= nowMs + 500;
    const runs = waiting.filter(isFree).slice(0, limit);
    waiting = waiting.filter((run) => !runs.includes(run));
    claimed.push(...runs.map(({ claim }) => claim.id));
    return { runs, nextDueMs: undefined, nowMs };
  },
  renew: async (claims) => claims.map(({ id }) => id),
  async release(claims) {
    released.push(...claims.map(({ id }) => id));
  },
  beginOnly: async () => true,
  async finish(done) {
    await beforeFinish(done);
    const stored = done.filter(({ claim }) => !fenced.has(claim.id));
    finished.push(...stored);
    return stored.length;
  },
};

async function call({ url }: Callback): Promise<CallbackOutcome> {
  called.push(url.split('/').at(-1) ?? '');
  await silent.get(new URL(url).hostname)?.promise;
  return outcomeOf();
}

beforeEach(() => {
  vi.useFakeTimers();
  waiting = [];
  claimed = [];
  finished = [];
  released = [];
  called = [];
  silent = new Map();
  beforeFinish = async () => undefined;
  fenced = new Set();
  logged = [];
  nextId = 1;
  metrics = createMetrics();
  calls = createCallMaker({
    store,
    caller: { call },
    concurrency,
    metrics,
    logger: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
});
afterEach(async () => {
  const stopping = calls.stop();
  await pass(10_000);
  await stopping;
  vi.useRealTimers();
});

/** Adds runs of a target, due in so many milliseconds, and returns their ids. */
function addRuns(count: number, { target = 'live', dueIn = 0, isAtMostOnce = false } = {}): string[] {
  const dueAt = startMs + performance.now() + dueIn;
  const added = Array.from({ length: count }, (): ClaimedRun => {
    const id = String(nextId++);
    const callback = { ...callbackOf(id), url: `http://${target}/${id}` };
    const task = { name: 'a task', isEnabled: true, callback, retryDelaysMs: [], isAtMostOnce };
    const expiresAt = dueAt + 3_600_000;
    const run = {
      taskId: id,
      target,
      scheduledAt: dueAt,
      dueAt,
      expiresAt,
      runType: 1,
      try: 0,
      lapses: 0,
      task,
    };
    return { claim: { id, attempt: 1 }, ...run };
  });
  waiting.push(...added);
  return added.map(({ claim }) => claim.id);
}

function silence(target: string): PromiseWithResolvers<void> {
  const answer = Promise.withResolvers<void>();
  silent.set(target, answer);
  return answer;
}

async function start(): Promise<void> {
  await calls.start();
  await pass(0);
}

const idsOf = (items: { claim: Claim }[]) => items.map(({ claim }) => claim.id);
const byNumber = (ids: string[]) => ids.toSorted((one, other) => Number(one) - Number(other));

async function read(name: string): Promise<number | undefined> {
  const value = await metrics.registry.getSingleMetric(name)?.get();
  return value?.values.reduce((sum, { value: each }) => sum + each, 0);
}

describe('claims', () => {
  test('take runs a little ahead, and each is called at its time', async () => {
    addRuns(1, { dueIn: 400 });
    await start();
    expect(claimed).toEqual(['1']);
    await pass(399);
    expect(called).toEqual([]);
    await pass(1);
    expect(called).toEqual(['1']);
    await pass(20);
    expect(idsOf(finished)).toEqual(['1']);
  });

  test('follow each other while there is more, and never hold more than may be held', async () => {
    const targets = Array.from({ length: 20 }, (_, index) => `dead-${index}`);
    const answers = targets.map(silence);
    // In turn, as they become due.
    for (let round = 0; round < 10; round += 1) for (const target of targets) addRuns(1, { target });
    await start();
    await pass(1000);
    expect(claimed.length).toBe(concurrency);
    await pass(5000);
    expect(claimed.length).toBe(concurrency);
    expect(await read('probe_crontab_runs_held')).toBe(concurrency);
    for (const target of targets) silent.delete(target);
    for (const answer of answers) answer.resolve();
    await pass(1000);
    expect(finished.length).toBe(200);
  });

  test('leave room for a third target while two do not answer', async () => {
    for (const target of ['dead-1', 'dead-2']) {
      silence(target);
      addRuns(100, { target });
    }
    await start();
    await pass(1000);
    const live = addRuns(3);
    await pass(1000);
    expect(called).toEqual(expect.arrayContaining(live));
  });

  test('leave room for other targets, however much of one that does not answer there is at once', async () => {
    silence('dead');
    addRuns(500, { target: 'dead' });
    await start();
    await pass(1000);
    const held = claimed.length;
    expect(held).toBeGreaterThanOrEqual(concurrency / 2);
    expect(held).toBeLessThanOrEqual((concurrency * 3) / 4);
    const live = addRuns(300);
    calls.wake();
    await pass(2000);
    expect(byNumber(idsOf(finished))).toEqual(live);
    expect(claimed.length).toBe(held + live.length);
    silent.get('dead')?.resolve();
    silent.clear();
    await pass(2000);
    expect(finished).toHaveLength(800);
  });

  test('find one of a replica that may hold one', async () => {
    await calls.stop();
    calls = createCallMaker({
      store,
      caller: { call },
      concurrency: 1,
      metrics: createMetrics(),
      logger: pino({ enabled: false }),
    });
    addRuns(5);
    await start();
    await pass(1000);
    expect(finished).toHaveLength(5);
  });

  test('come at once when somebody tells of new runs', async () => {
    await start();
    await pass(100);
    addRuns(1);
    calls.wake();
    await pass(0);
    expect(called).toEqual(['1']);
  });
});

describe('what came of calls', () => {
  test('is stored together', async () => {
    addRuns(10);
    const batches: number[] = [];
    beforeFinish = async (done) => void batches.push(done.length);
    await start();
    await pass(100);
    expect(batches).toEqual([10]);
  });

  test('is kept while the database is away, and stored when it is back', async () => {
    const all = addRuns(10);
    beforeFinish = () => Promise.reject(new ProbeTaskError('UNAVAILABLE', 'the database is away'));
    await start();
    await pass(20_000);
    expect(finished).toEqual([]);
    expect(called).toEqual(all);
    beforeFinish = async () => undefined;
    await pass(2000);
    expect(byNumber(idsOf(finished))).toEqual(all);
    expect(called).toEqual(all);
  });

  test('and that the database will never take is dropped, and that of other runs stored', async () => {
    const all = addRuns(10);
    beforeFinish = async (done) => {
      const fault = Object.assign(new DatabaseError('refused', 7, 'error'), { code: '22003' });
      if (idsOf(done).includes('7')) throw fault;
    };
    await start();
    await pass(200);
    expect(byNumber(idsOf(finished))).toEqual(all.filter((id) => id !== '7'));
    expect(logged).toMatchObject([{ level: 50, run: '7', msg: 'the results of a run cannot be stored' }]);
  });

  test('is counted, also where somebody else has claimed the run since', async () => {
    addRuns(3);
    fenced.add('2');
    await start();
    await pass(200);
    expect(await read('probe_crontab_calls_total')).toBe(3);
    expect(await read('probe_crontab_calls_fenced_total')).toBe(1);
    expect(await read('probe_crontab_runs_held')).toBe(0);
  });
});

describe('a stop', () => {
  test('lets calls end, stores what came of them, and hands back what has not begun', async () => {
    const answer = silence('slow');
    const under = addRuns(2, { target: 'slow' });
    const later = addRuns(2, { dueIn: 400 });
    await start();
    const stopped = calls.stop();
    await pass(1000);
    answer.resolve();
    await pass(100);
    await stopped;
    expect(idsOf(finished)).toEqual(under);
    expect(released).toEqual(later);
    expect(called).toEqual(under);
  });

  test('hands back what could not be stored, but nothing that is not to be called once more', async () => {
    const plain = addRuns(2);
    const once = addRuns(2, { isAtMostOnce: true });
    beforeFinish = () => Promise.reject(new ProbeTaskError('UNAVAILABLE', 'the database is away'));
    await start();
    await pass(100);
    expect(called).toEqual([...plain, ...once]);
    await Promise.all([calls.stop(), pass(3000)]);
    expect(released).toEqual(plain);
  });
});
