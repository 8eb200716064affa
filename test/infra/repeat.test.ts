// Work that repeats, with turns that end when the test says so, and a clock of the test.
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProbeTaskError } from '../../contracts/errors.ts';
import { createRepetition, type Repetition } from '../../infra/repeat.ts';

type Turn = { end: (hasMore?: boolean) => Promise<void>; fail: (fault: Error) => Promise<void> };

const intervalMs = 1000;
let turns: Turn[];
let logged: { level: number; msg: string; work: string; reason?: string }[];
let repetition: Repetition;

beforeEach(() => {
  vi.useFakeTimers();
  turns = [];
  logged = [];
  repetition = createRepetition({
    name: 'digging',
    intervalMs,
    logger: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    work() {
      const { promise, resolve, reject } = Promise.withResolvers<{ hasMore: boolean }>();
      turns.push({
        end: (hasMore = false) => settle(() => resolve({ hasMore })),
        fail: (fault) => settle(() => reject(fault)),
      });
      return promise;
    },
  });
});

afterEach(async () => {
  const stopping = repetition.stop();
  await turns.at(-1)?.end();
  await stopping;
  vi.useRealTimers();
});

/** Lets everything happen that follows without time going on. */
async function settle(change: () => void): Promise<void> {
  change();
  await vi.advanceTimersByTimeAsync(0);
}

function lastTurn(): Turn {
  const turn = turns.at(-1);
  if (turn === undefined) throw new Error('no turn began');
  return turn;
}

test('runs at once, and again when the interval after its end is over', async () => {
  await repetition.start();
  expect(turns).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(10 * intervalMs);
  expect(turns).toHaveLength(1);
  await lastTurn().end();
  await vi.advanceTimersByTimeAsync(intervalMs - 1);
  expect(turns).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(turns).toHaveLength(2);
});

test('started twice runs once', async () => {
  await repetition.start();
  await repetition.start();
  expect(turns).toHaveLength(1);
});

test('goes on at once when there is more', async () => {
  await repetition.start();
  await lastTurn().end(true);
  expect(turns).toHaveLength(2);
  await lastTurn().end(true);
  expect(turns).toHaveLength(3);
});

test('hurried in its pause goes on at once, and pauses again after that', async () => {
  await repetition.start();
  await lastTurn().end();
  await settle(repetition.hurry);
  expect(turns).toHaveLength(2);
  await lastTurn().end();
  await vi.advanceTimersByTimeAsync(intervalMs - 1);
  expect(turns).toHaveLength(2);
});

test('hurried during a turn has one more after it, however often', async () => {
  await repetition.start();
  repetition.hurry();
  repetition.hurry();
  expect(turns).toHaveLength(1);
  await lastTurn().end();
  expect(turns).toHaveLength(2);
  await lastTurn().end();
  expect(turns).toHaveLength(2);
});

test('takes its whole pause after a turn that failed, hurried or not', async () => {
  await repetition.start();
  repetition.hurry();
  await lastTurn().fail(new Error('a stone'));
  await settle(repetition.hurry);
  await vi.advanceTimersByTimeAsync(intervalMs - 1);
  expect(turns).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(turns).toHaveLength(2);
  // All is well again.
  await lastTurn().end();
  await settle(repetition.hurry);
  expect(turns).toHaveLength(3);
});

test('tries again sooner, or later, after a turn that failed where that is asked for', async () => {
  let isBroken = true;
  let count = 0;
  const faulty = createRepetition({
    name: 'digging',
    intervalMs,
    retryMs: 100,
    logger: pino({ level: 'silent' }),
    async work() {
      count += 1;
      if (isBroken) throw new Error('a stone');
      return { hasMore: false };
    },
  });
  await faulty.start();
  await vi.advanceTimersByTimeAsync(99);
  expect(count).toBe(1);
  isBroken = false;
  await vi.advanceTimersByTimeAsync(1);
  expect(count).toBe(2);
  await vi.advanceTimersByTimeAsync(intervalMs - 1);
  expect(count).toBe(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(count).toBe(3);
  await faulty.stop();
});

test('tells the turn under way when it is stopped', async () => {
  const { promise, resolve } = Promise.withResolvers<{ hasMore: boolean }>();
  let signal: AbortSignal | undefined;
  const patient = createRepetition({
    name: 'digging',
    intervalMs,
    logger: pino({ level: 'silent' }),
    work(given) {
      signal = given;
      given.addEventListener('abort', () => resolve({ hasMore: true }));
      return promise;
    },
  });
  await patient.start();
  expect(signal?.aborted).toBe(false);
  await patient.stop();
  expect(signal?.aborted).toBe(true);
});

test('tells of every turn that failed', async () => {
  await repetition.start();
  for (let round = 0; round < 2; round += 1) {
    await lastTurn().fail(new Error('a stone'));
    await vi.advanceTimersByTimeAsync(intervalMs);
  }
  expect(logged).toMatchObject([
    { level: 50, msg: 'a turn failed', work: 'digging' },
    { level: 50, msg: 'a turn failed', work: 'digging' },
  ]);
});

test('tells once that it has to wait, and once that it works again', async () => {
  await repetition.start();
  for (let round = 0; round < 3; round += 1) {
    await lastTurn().fail(new ProbeTaskError('UNAVAILABLE', 'the database is away'));
    await vi.advanceTimersByTimeAsync(intervalMs);
  }
  expect(logged).toMatchObject([{ level: 40, msg: 'has to wait', reason: 'the database is away' }]);
  await lastTurn().end();
  await vi.advanceTimersByTimeAsync(intervalMs);
  await lastTurn().end();
  expect(logged.slice(1)).toMatchObject([{ level: 30, msg: 'works again' }]);
});

test('a failure at once, before the first wait, fails the turn and nothing else', async () => {
  const faulty = createRepetition({
    name: 'digging',
    intervalMs,
    logger: pino({ level: 'silent' }),
    work: () => {
      throw new Error('no spade');
    },
  });
  await faulty.start();
  await faulty.stop();
});

test('stopped waits for the turn under way, and begins no other', async () => {
  await repetition.start();
  let isStopped = false;
  const stopping = repetition.stop().then(() => {
    isStopped = true;
  });
  repetition.hurry();
  await vi.advanceTimersByTimeAsync(10 * intervalMs);
  expect(isStopped).toBe(false);
  await lastTurn().end(true);
  await stopping;
  expect(turns).toHaveLength(1);
});

test('stopped in its pause ends at once, and leaves no timer', async () => {
  await repetition.start();
  await lastTurn().end();
  await repetition.stop();
  expect(vi.getTimerCount()).toBe(0);
  expect(turns).toHaveLength(1);
});

test('stopped before it started never starts', async () => {
  await repetition.stop();
  await repetition.start();
  expect(turns).toHaveLength(0);
});
