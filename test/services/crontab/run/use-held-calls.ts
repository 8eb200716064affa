// Runs in hand, with a caller whose calls end when the test says so, by a clock of the test.
import { pino } from 'pino';
import { afterEach, beforeEach, vi } from 'vitest';
import type { Claim } from '../../../../infra/database/lease-table.ts';
import type { Callback, CallbackOutcome } from '../../../../services/crontab/callback/caller.ts';
import { createDatabaseClock, type DatabaseClock } from '../../../../services/crontab/run/database-clock.ts';
import { createHeldCalls, type HeldCalls } from '../../../../services/crontab/run/held-calls.ts';
import type { ClaimedRun, ClaimedTask, FinishedCall } from '../../../../services/crontab/run/run-store.ts';

export type TestCall = {
  callback: Callback;
  signal: AbortSignal | undefined;
  end(outcome?: Partial<CallbackOutcome>): Promise<void>;
  fail(fault: Error): Promise<void>;
};

/** What the clock of the database says when a test begins. */
export const startMs = Date.parse('2026-09-20T04:00:00Z');

/** Lets time go by, for a clock that only this moves. */
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

export const claimOf = (id: string, attempt = 1): Claim => ({ id, attempt });

export function outcomeOf(fields: Partial<CallbackOutcome> = {}): CallbackOutcome {
  return { isOk: true, resp: 'done', respCode: 200, err: '', ...fields };
}

export function callbackOf(id: string, body = '{}'): Callback {
  return {
    method: 'post',
    url: `http://127.0.0.1:9/${id}`,
    body,
    bodyType: 1,
    respRegexp: '',
    timeoutMs: 10_000,
    secret: null,
    messageId: `crontab_${id}`,
  };
}

const plainTask: Omit<ClaimedTask, 'callback'> = {
  name: 'a task',
  isEnabled: true,
  retryDelaysMs: [],
  isAtMostOnce: false,
};

/** For a file of tests; new for each of them. */
export function useHeldCalls() {
  const calls: TestCall[] = [];
  const begun: { id: string; beginAt: number }[] = [];
  const finished: FinishedCall[] = [];
  const logged: { msg: string; run?: string }[] = [];
  /** Whom `beginOnly` was asked for, and what it answers. */
  const onlyOnce = { asked: [] as Claim[], answer: async () => true };
  let held: HeldCalls;
  let clock: DatabaseClock;

  beforeEach(() => {
    vi.useFakeTimers();
    for (const list of [calls, begun, finished, logged, onlyOnce.asked]) list.length = 0;
    onlyOnce.answer = async () => true;
    clock = createDatabaseClock();
    clock.note(startMs);
    held = createHeld(clock);
  });
  afterEach(() => void vi.useRealTimers());

  function createHeld(withClock: DatabaseClock): HeldCalls {
    return createHeldCalls({
      caller: { call },
      beginOnly(claim) {
        onlyOnce.asked.push(claim);
        return onlyOnce.answer();
      },
      clock: withClock,
      onBegin: ({ claim: { id } }, beginAt) => void begun.push({ id, beginAt }),
      onFinished: (each) => void finished.push(each),
      logger: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    });
  }

  function call(callback: Callback, signal?: AbortSignal): Promise<CallbackOutcome> {
    const { promise, resolve, reject } = Promise.withResolvers<CallbackOutcome>();
    signal?.addEventListener('abort', () => resolve(outcomeOf({ isOk: false, err: 'ABORTED: given up' })));
    calls.push({
      callback,
      signal,
      async end(outcome) {
        resolve(outcomeOf(outcome));
        await pass(0);
      },
      async fail(fault) {
        reject(fault);
        await pass(0);
      },
    });
    return promise;
  }

  return {
    calls,
    begun,
    finished,
    logged,
    onlyOnce,
    get held() {
      return held;
    },
    /** From now on by a clock of the test's own, which this returns. */
    useClock(): { nowMs: number } {
      const time = { nowMs: startMs };
      held = createHeld({ note: () => undefined, nowMs: () => time.nowMs });
      return time;
    },
    /** A run as it was claimed, `dueIn` milliseconds from now. */
    claimed(
      id: string,
      { dueIn = 0, ...fields }: Partial<ClaimedRun> & { dueIn?: number } = {},
      task: Partial<ClaimedTask> = {},
    ): ClaimedRun {
      return {
        claim: claimOf(id),
        taskId: '7',
        target: 'http://127.0.0.1:9',
        scheduledAt: startMs,
        dueAt: clock.nowMs() + dueIn,
        expiresAt: startMs + 3_600_000,
        runType: 1,
        try: 0,
        lapses: 0,
        task: { ...plainTask, callback: callbackOf(id), ...task },
        ...fields,
      };
    },
    take(...runs: ClaimedRun[]): void {
      for (const run of runs) held.take(run, performance.now());
    },
    callAt(index: number): TestCall {
      const found = calls[index];
      if (found === undefined) throw new Error(`no call ${index}`);
      return found;
    },
    doneIds: () => held.done().map(({ claim }) => claim.id),
  };
}
