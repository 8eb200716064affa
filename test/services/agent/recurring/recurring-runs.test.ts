// What an agent does with its runs, on a store and with cells that do what the test says, by a clock of the test.
import { DatabaseError } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ProbeTaskError } from '../../../../contracts/errors.ts';
import type { Claim } from '../../../../infra/database/lease-table.ts';
import { createMetrics } from '../../../../infra/metrics.ts';
import { createRecurringRuns } from '../../../../services/agent/recurring/recurring-runs.ts';
import type { ClaimedRun, FinishedRun, RunStore } from '../../../../services/agent/recurring/run-store.ts';
import type { CellRunner } from '../../../../services/agent/run-cells.ts';
import { outcomeOf } from '../../../helpers/scripted-agent.ts';

/** A run that waits to be claimed. */
type Waiting = { id: string; taskId: string; cellCount: number };

let waiting: Waiting[];
let claimCount: number;
/** What is done before a claim is answered, and before runs are finished; replaced by tests. */
let beforeClaim: () => Promise<void>;
let beforeFinish: (runs: FinishedRun[]) => Promise<void>;
let finished: string[];
let released: string[];
/** Tasks whose cells have no outcome until the test answers them. */
let silent: Map<string, PromiseWithResolvers<void>>;
let logged: { level: number; msg: string; run?: string }[];
let runs: ReturnType<typeof createRecurringRuns>;
let nextId: number;

const ids = (claims: { claim: Claim }[]) => claims.map(({ claim }) => claim.id);

const store: RunStore = {
  register: async () => undefined,
  beat: async () => true,
  async claim(limit, exceptTasks = []) {
    claimCount += 1;
    const isFree = ({ taskId }: Waiting) => !exceptTasks.includes(taskId);
    const claimed = waiting.filter(isFree).slice(0, limit);
    await beforeClaim();
    waiting = waiting.filter((run) => !claimed.includes(run));
    return { runs: claimed.map(toClaimed), nextDueMs: undefined };
  },
  renew: async (claims) => claims.map(({ id }) => id),
  async release(claims) {
    released.push(...claims.map(({ id }) => id));
  },
  async finish(done) {
    await beforeFinish(done);
    finished.push(...ids(done));
    return { runs: done.length, results: done.length };
  },
};

function toClaimed({ id, taskId, cellCount }: Waiting): ClaimedRun {
  const targets = Array.from({ length: cellCount }, () => ({ domain: `${taskId}.example`, rtype: 'A' }));
  const payload = { servers: ['192.0.2.1'], targets, first_cell: 0, stride: cellCount };
  return { claim: { id, attempt: 1 }, taskId, payload, lagMs: 0, expiresInMs: 60_000 };
}

const cells: Pick<CellRunner, 'run'> = {
  async run({ targets }, { onOutcome }) {
    const [taskId = ''] = targets[0]?.domain.split('.') ?? [];
    await silent.get(taskId)?.promise;
    for (const cell of targets.keys()) onOutcome(outcomeOf(cell));
  },
};

function silence(...taskIds: string[]): void {
  for (const taskId of taskIds) silent.set(taskId, Promise.withResolvers());
}

/** Adds runs of a task, and returns their ids. */
function addRuns(count: number, { taskId = '1', cellCount = 1 } = {}): string[] {
  const added = Array.from({ length: count }, () => ({ id: String(nextId++), taskId, cellCount }));
  waiting.push(...added);
  return added.map(({ id }) => id);
}

beforeEach(() => {
  vi.useFakeTimers();
  waiting = [];
  claimCount = 0;
  beforeClaim = async () => undefined;
  beforeFinish = async () => undefined;
  finished = [];
  released = [];
  silent = new Map();
  logged = [];
  nextId = 1;
  runs = createRecurringRuns({
    store,
    cells,
    concurrency: 1024,
    metrics: createMetrics(),
    logger: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
});

afterEach(async () => {
  const stopping = runs.stop();
  await vi.advanceTimersByTimeAsync(10_000);
  await stopping;
  vi.useRealTimers();
});

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

async function start(): Promise<void> {
  await runs.start();
  await pass(0);
}

function refusal(code: string, constraint?: string): DatabaseError {
  return Object.assign(new DatabaseError('refused', 7, 'error'), { code, constraint });
}

/** A database that refuses whatever has one of these runs in it. */
function refuse(refused: string[], fault: Error): void {
  beforeFinish = async (done) => {
    if (ids(done).some((id) => refused.includes(id))) throw fault;
  };
}

const byNumber = (texts: string[]) => texts.toSorted((one, other) => Number(one) - Number(other));

describe('results', () => {
  test('that the database will never take are dropped, and those of other runs stored', async () => {
    const all = addRuns(200);
    refuse(['77'], refusal('22003'));
    await start();
    await pass(200);
    expect(byNumber(finished)).toEqual(all.filter((id) => id !== '77'));
    expect(logged).toMatchObject([{ level: 50, run: '77', msg: 'the results of a run cannot be stored' }]);
    // It is not held any more: nothing is left to hand back.
    await Promise.all([runs.stop(), pass(10_000)]);
    expect(released).toEqual([]);
  });

  test.each([
    ['is read-only', refusal('25006')],
    ['has moved their partition', refusal('23514')],
    ['forbids it to this user', refusal('42501')],
    ['is away', new ProbeTaskError('UNAVAILABLE', 'the database is away')],
  ])('are kept while the database %s, and stored afterwards', async (_, fault) => {
    const all = addRuns(50);
    refuse(all, fault);
    await start();
    await pass(10_000);
    expect(finished).toEqual([]);
    beforeFinish = async () => undefined;
    await pass(30_000);
    expect(byNumber(finished)).toEqual(all);
  });

  test('of a run that fails again and again do not hold up those of others', async () => {
    const [stuck = ''] = addRuns(50);
    refuse([stuck], refusal('XX000'));
    await start();
    await pass(1100);
    expect(finished).toHaveLength(49);
    for (let second = 0; second < 60; second += 1) {
      addRuns(2);
      runs.wake();
      await pass(1000);
    }
    await pass(2000);
    expect(finished).toHaveLength(49 + 120);
    const attempts = logged.filter(({ msg }) => msg === 'a turn failed').length;
    expect(attempts).toBeGreaterThan(4);
    expect(attempts).toBeLessThan(9);
    beforeFinish = async () => undefined;
    await pass(30_000);
    expect(finished).toContain(stuck);
  });
});

describe('claims', () => {
  test('pause while there is no room, and go on as soon as there is', async () => {
    silence(...Array.from({ length: 40 }, (_, index) => `t${index}`));
    for (const taskId of silent.keys()) addRuns(10, { taskId, cellCount: 100 });
    await start();
    await pass(1000);
    const held = 400 - waiting.length;
    expect(held).toBeGreaterThanOrEqual(164);
    expect(held).toBeLessThan(166);
    const claimsBefore = claimCount;
    await pass(30_000);
    expect(claimCount).toBe(claimsBefore);
    silent.get('t0')?.resolve();
    await pass(50);
    expect(finished).toHaveLength(10);
    expect(claimCount).toBeGreaterThan(claimsBefore);
    expect(400 - waiting.length).toBeGreaterThan(held);
  });

  test('leave out a task of which enough is held, and go on with it as soon as there is less', async () => {
    silence('dead');
    addRuns(200, { taskId: 'dead', cellCount: 100 });
    await start();
    await pass(3000);
    expect(waiting.length).toBe(160);
    const live: number[] = [];
    for (let second = 0; second < 10; second += 1) {
      addRuns(1, { taskId: 'live' });
      runs.wake();
      await pass(1000);
      live.push(finished.length);
    }
    expect(live).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(waiting).toHaveLength(160);
    silent.get('dead')?.resolve();
    await pass(1000);
    expect(waiting).toHaveLength(0);
  });

  test('take a task that answers as fast as it is stored, without waiting for the next look', async () => {
    addRuns(1000, { cellCount: 100 });
    await start();
    await pass(2900);
    expect(finished).toHaveLength(1000);
  });

  test('never take so much of one task, after small runs, that others find no room', async () => {
    addRuns(500, { taskId: 'small' });
    await start();
    await pass(1000);
    silence('dead', 'dead-too', 'dead-as-well');
    for (const taskId of silent.keys()) addRuns(400, { taskId, cellCount: 100 });
    await pass(3000);
    const [live] = addRuns(1, { taskId: 'live', cellCount: 100 });
    runs.wake();
    await pass(200);
    expect(finished).toContain(live);
  });

  test('follow the first wake at once, and any number of further ones ten times a second', async () => {
    await start();
    await pass(1000);
    expect(claimCount).toBe(1);
    runs.wake();
    await pass(0);
    expect(claimCount).toBe(2);
    // Of the fake clock, which only `pass` moves: every claim takes 5 ms.
    beforeClaim = () => new Promise((resolve) => setTimeout(resolve, 5));
    for (let ms = 0; ms < 2000; ms += 1) {
      runs.wake();
      await pass(1);
    }
    expect(claimCount).toBeGreaterThan(2 + 15);
    expect(claimCount).toBeLessThanOrEqual(2 + 20);
    await pass(1000);
    const after = claimCount;
    addRuns(1);
    runs.wake();
    await pass(0);
    expect(claimCount).toBe(after + 1);
  });
});

describe('a stop', () => {
  test('stores what is probed and hands back the rest', async () => {
    silence('dead');
    const left = addRuns(2, { taskId: 'dead' });
    const done = addRuns(2);
    await start();
    await Promise.all([runs.stop(), pass(3000)]);
    expect(finished).toEqual(done);
    expect(released).toEqual(left);
    expect(logged).toMatchObject([{ runs: 2, msg: 'runs handed back' }]);
  });

  test('hands back what cannot be stored', async () => {
    const all = addRuns(2);
    refuse(all, refusal('25006'));
    await start();
    await pass(100);
    await Promise.all([runs.stop(), pass(3000)]);
    expect(byNumber(released)).toEqual(all);
  });

  test('hands back what a claim under way gets, and probes none of it', async () => {
    silence('dead');
    const late = addRuns(3, { taskId: 'dead' });
    const answer = Promise.withResolvers<void>();
    beforeClaim = () => answer.promise;
    await runs.start();
    await pass(100);
    const stopped = runs.stop();
    await pass(4000);
    answer.resolve();
    await stopped;
    expect(released).toEqual(late);
  });

  test('claims nothing more', async () => {
    await start();
    await Promise.all([runs.stop(), pass(100)]);
    const before = claimCount;
    runs.wake();
    await pass(10_000);
    expect(claimCount).toBe(before);
  });

  test('is over after six seconds though the database does not answer', async () => {
    addRuns(1);
    await start();
    beforeClaim = () => new Promise(() => undefined);
    beforeFinish = () => new Promise(() => undefined);
    runs.wake();
    await pass(1000);
    let isStopped = false;
    const stopping = runs.stop().then(() => {
      isStopped = true;
    });
    await pass(5900);
    expect(isStopped).toBe(false);
    await pass(100);
    await stopping;
    expect(isStopped).toBe(true);
  });
});
