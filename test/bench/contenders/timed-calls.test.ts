import { expect, test } from 'vitest';
import { findCallFaults, type LoggedCall, measureLateness } from './timed-calls.ts';

const fromMs = Date.UTC(2026, 0, 1);
const stretch = { fromMs, seconds: 2 };
const taskIds = ['1', '2'];

/** Begins 1 ms late. */
function callAt(taskId: string, runId: string, scheduledAt: number): LoggedCall {
  return { taskId, runId, try: 0, runType: 1, status: 2, scheduledAt, beginAt: scheduledAt + 1 };
}

/** Two tasks, each with a call before, two in the stretch, and one after it; each arrives 3 ms late. */
function bookOf() {
  const log = taskIds.flatMap((taskId) =>
    [-1, 0, 1, 2].map((second) => callAt(taskId, `${taskId}${second + 1}`, fromMs + second * 1000)),
  );
  const arrivals = log.map(({ runId, scheduledAt }) => ({ id: `crontab_${runId}`, atMs: scheduledAt + 3 }));
  return { log, arrivals };
}

function findFaults(change: (book: ReturnType<typeof bookOf>) => void): string[] {
  const book = bookOf();
  change(book);
  return findCallFaults(taskIds, stretch, book);
}

test('a call of each second of each task that arrived once is without fault', () => {
  expect(findFaults(() => undefined)).toEqual([]);
});

test('lateness is that of the calls of the stretch', () => {
  expect(measureLateness(stretch, bookOf())).toEqual({ atSink: [3, 3, 3, 3], atBegin: [1, 1, 1, 1] });
});

test('what came before the stretch may have been skipped', () => {
  const faults = findFaults(({ log, arrivals }) => {
    Object.assign(log[0] ?? {}, { status: 4 });
    arrivals.shift();
  });
  expect(faults).toEqual([]);
});

test.each<[string, string[], (book: ReturnType<typeof bookOf>) => void]>([
  [
    'that is missing',
    ['task 1 at 2026-01-01T00:00:01.000Z: no call', 'crontab_12 arrived and is not in the log'],
    ({ log }) => log.splice(2, 1),
  ],
  [
    'that was skipped',
    ['task 1 at 2026-01-01T00:00:00.000Z: status 4'],
    ({ log }) => Object.assign(log[1] ?? {}, { status: 4 }),
  ],
  [
    'that was logged twice',
    ['task 1: 3 calls in 2 seconds', 'task 1 at 2026-01-01T00:00:00.000Z: never arrived'],
    ({ log }) => log.push(callAt('1', '99', fromMs)),
  ],
  [
    'at a time of none',
    ['task 1 at 2026-01-01T00:00:00.500Z: none of its times', 'task 1: 3 calls in 2 seconds'],
    ({ log, arrivals }) => {
      log.push(callAt('1', '99', fromMs + 500));
      arrivals.push({ id: 'crontab_99', atMs: fromMs + 503 });
    },
  ],
  [
    'that arrived twice',
    ['crontab_11 arrived twice'],
    ({ arrivals }) => arrivals.push({ id: 'crontab_11', atMs: fromMs + 900 }),
  ],
  [
    'that never arrived',
    ['task 1 at 2026-01-01T00:00:00.000Z: never arrived'],
    ({ arrivals }) => arrivals.splice(1, 1),
  ],
  [
    'that arrived before its time',
    ['task 1 at 2026-01-01T00:00:00.000Z: arrived 2 ms early'],
    ({ arrivals }) => Object.assign(arrivals[1] ?? {}, { atMs: fromMs - 2 }),
  ],
  [
    'that is a retry',
    ['task 1 at 2026-01-01T00:00:00.000Z: no first call'],
    ({ log }) => Object.assign(log[1] ?? {}, { try: 1 }),
  ],
])('a call %s is a fault', (_what, expected, change) => {
  expect(findFaults(change).toSorted()).toEqual(expected.toSorted());
});
