// The runs in hand: when each is called, what is kept of it until that is stored, and what a stop makes of them.
import { describe, expect, test, vi } from 'vitest';
import { maxConnectionsPerTarget } from '../../../../services/crontab/callback/http-call.ts';
import { leaseMs } from '../../../../services/crontab/run/run-store.ts';
import { callbackOf, claimOf, outcomeOf, pass, startMs, useHeldCalls } from './use-held-calls.ts';

const hands = useHeldCalls();
const { calls, begun, finished, logged, onlyOnce, claimed, take, callAt, doneIds } = hands;

describe('a run', () => {
  test('that is due is called at once, with the callback of its task', async () => {
    const run = claimed('1', { dueIn: -3000 });
    take(run);
    expect(calls.map(({ callback }) => callback)).toEqual([run.task?.callback]);
    expect(begun).toEqual([{ id: '1', beginAt: startMs }]);
  });

  test('that is not due is called at its time, and not before', async () => {
    take(claimed('1', { dueIn: 300.4 }), claimed('2', { dueIn: 200 }));
    await pass(200);
    expect(begun).toEqual([{ id: '2', beginAt: startMs + 200 }]);
    await pass(100);
    expect(begun).toHaveLength(1);
    await pass(1);
    expect(begun[1]).toEqual({ id: '1', beginAt: startMs + 301 });
  });

  test('is waited for once more where the timer ends before the clock says so', async () => {
    const slow = hands.useClock();
    take(claimed('1', { dueAt: startMs + 100 }));
    slow.nowMs += 99.5;
    await pass(100);
    expect(begun).toEqual([]);
    slow.nowMs += 0.5;
    await pass(1);
    expect(begun).toEqual([{ id: '1', beginAt: startMs + 100 }]);
  });

  test('keeps what came of its call until it is dropped', async () => {
    const run = claimed('1', { dueIn: 100 });
    take(run);
    await pass(100);
    expect(hands.held.done()).toEqual([]);
    await pass(40);
    await callAt(0).end({ resp: 'fine' });
    const call = {
      claim: claimOf('1'),
      run,
      kind: 'called',
      outcome: outcomeOf({ resp: 'fine' }),
      beginAt: startMs + 100,
      endAt: startMs + 140,
      retryAt: undefined,
    };
    expect(finished).toEqual([call]);
    expect(hands.held.done()).toEqual([call]);
    expect(hands.held.done()).toEqual([call]);
    hands.held.drop([claimOf('1')]);
    expect([hands.held.done(), hands.held.count(), hands.held.claims()]).toEqual([[], 0, []]);
  });

  test('never ends before it began', async () => {
    const jumping = hands.useClock();
    take(claimed('1'));
    jumping.nowMs -= 500;
    await callAt(0).end();
    expect(finished).toMatchObject([{ beginAt: startMs, endAt: startMs }]);
  });

  test.each([
    [0, 2000],
    [1, 4500],
    [2, undefined],
  ])('that failed after %d failures is called again as its task says', async (tries, delayMs) => {
    take(claimed('1', { try: tries }, { retryDelaysMs: [2000, 4500] }));
    await pass(300);
    await callAt(0).end({ isOk: false, err: 'HTTP_STATUS: 500' });
    const retryAt = delayMs === undefined ? undefined : startMs + 300 + delayMs;
    expect(finished).toMatchObject([{ endAt: startMs + 300, outcome: { isOk: false } }]);
    expect(finished[0]?.retryAt).toBe(retryAt);
  });

  test('that succeeded is not called again', async () => {
    take(claimed('1', {}, { retryDelaysMs: [2000] }));
    await callAt(0).end();
    expect(finished[0]?.retryAt).toBeUndefined();
  });

  test.each([
    ['deleted', { task: undefined }, {}],
    ['disabled', {}, { isEnabled: false, isAtMostOnce: true }],
  ])('of a task that was %s meanwhile is not called, and says so', async (what, run, task) => {
    take(claimed('1', { try: 1, ...run }, { retryDelaysMs: [1000, 1000], ...task }));
    await pass(0);
    expect([calls, begun, onlyOnce.asked]).toEqual([[], [], []]);
    const outcome = { isOk: false, resp: '', respCode: null, err: `CANCELLED: the task was ${what}` };
    expect(hands.held.done()).toMatchObject([
      { kind: 'cancelled', outcome, beginAt: startMs, endAt: startMs, retryAt: undefined },
    ]);
  });

  test('that was asked for once more is called also where its task is disabled', async () => {
    take(claimed('1', { runType: 3 }, { isEnabled: false, retryDelaysMs: [1000] }));
    await callAt(0).end({ isOk: false });
    expect(hands.held.done()).toMatchObject([{ kind: 'called', retryAt: startMs + 1000 }]);
  });

  test('whose call rejects is let go, and told in the log', async () => {
    take(claimed('1'));
    await callAt(0).fail(new Error('a bug'));
    expect(hands.held.count()).toBe(0);
    expect(logged).toMatchObject([{ run: '1', msg: 'a call could not be made' }]);
    expect(finished).toEqual([]);
  });
});

describe('a lease', () => {
  test('with less than a second left when its call would begin is let go, and not called', async () => {
    hands.held.take(claimed('1', { dueIn: 500 }), performance.now() - leaseMs + 1499);
    hands.held.take(claimed('2', { dueIn: 500 }), performance.now() - leaseMs + 1500);
    await pass(500);
    expect(begun.map(({ id }) => id)).toEqual(['2']);
    expect(hands.held.claims()).toEqual([claimOf('2')]);
  });

  test('that ran out while the process stood still is not called', async () => {
    take(claimed('1', { dueIn: 400 }));
    // Timers come late after a stall.
    const now = performance.now();
    vi.spyOn(performance, 'now').mockImplementation(() => now + 60_000);
    await pass(400);
    vi.restoreAllMocks();
    expect(begun).toEqual([]);
    expect(hands.held.count()).toBe(0);
  });

  test('that was renewed counts from when that was onlyOnce.asked for', async () => {
    hands.held.take(claimed('1', { dueIn: 500 }), performance.now() - leaseMs + 1000);
    hands.held.renewed?.({ kept: [claimOf('1')], lost: [], sentAtMs: performance.now() });
    await pass(500);
    expect(begun).toHaveLength(1);
  });

  test('that is lost is let go before its call, and left to end during it', async () => {
    take(claimed('1', { dueIn: 300 }), claimed('2'));
    hands.held.renewed?.({ kept: [], lost: [claimOf('1'), claimOf('2'), claimOf('3')], sentAtMs: 0 });
    await pass(300);
    expect(begun.map(({ id }) => id)).toEqual(['2']);
    expect(hands.held.claims()).toEqual([claimOf('2')]);
    await callAt(0).end();
    expect(doneIds()).toEqual(['2']);
  });

  test('of an earlier claim says nothing of the newest one', async () => {
    take(claimed('1', { dueIn: 300 }), claimed('1', { claim: claimOf('1', 2) }));
    hands.held.renewed?.({ kept: [], lost: [claimOf('1')], sentAtMs: 0 });
    hands.held.renewed?.({ kept: [claimOf('1')], lost: [], sentAtMs: performance.now() - 2 * leaseMs });
    await pass(300);
    expect(begun).toHaveLength(1);
  });
});

describe('done', () => {
  test('gives what is there in the order in which it was taken', async () => {
    take(claimed('1'), claimed('2'), claimed('3'));
    await callAt(2).end();
    await callAt(0).end();
    expect(doneIds()).toEqual(['1', '3']);
  });

  test('gives no more than five hundred at once', async () => {
    for (let id = 0; id < 501; id += 1) take(claimed(String(id), { task: undefined }));
    await pass(0);
    expect(hands.held.done()).toHaveLength(500);
    hands.held.drop(hands.held.done().map(({ claim }) => claim));
    expect(doneIds()).toEqual(['500']);
  });

  test('gives as much text as fits into one statement, or one call', async () => {
    const mebi = 1024 * 1024;
    const sizes = [1.5 * mebi, 1.5 * mebi, 1.5 * mebi, 5 * mebi, 1];
    for (const [index, size] of sizes.entries()) {
      take(claimed(String(index)));
      await callAt(index).end({ resp: 'x'.repeat(size) });
    }
    const batches: string[][] = [];
    for (let ids = doneIds(); ids.length > 0; ids = doneIds()) {
      batches.push(ids);
      hands.held.drop(ids.map((id) => claimOf(id)));
    }
    expect(batches).toEqual([['0', '1'], ['2'], ['3'], ['4']]);
  });

  test('counts the bodies that were sent as well', async () => {
    const callback = callbackOf('1', 'x'.repeat(3 * 1024 * 1024));
    take(claimed('1', {}, { callback }), claimed('2', {}, { callback }));
    await callAt(0).end();
    await callAt(1).end();
    expect(doneIds()).toEqual(['1']);
  });
});

test('putOff moves a call behind the others, for longer each time', async () => {
  take(claimed('1'), claimed('2'));
  await callAt(0).end();
  await callAt(1).end();
  for (const ms of [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
    hands.held.putOff(claimOf('1'));
    expect(doneIds()).toEqual(['2']);
    await pass(ms - 1);
    expect(doneIds()).toEqual(['2']);
    await pass(1);
    expect(doneIds()).toEqual(['2', '1']);
  }
  expect(hands.held.count()).toBe(2);
});

test('what is held is counted by target', async () => {
  take(
    claimed('1', { target: 'a' }),
    claimed('2', { target: 'a', dueIn: 400 }),
    claimed('3', { target: 'b' }),
  );
  take(claimed('3', { target: 'b', claim: claimOf('3', 2) }));
  expect([...hands.held.countByTarget()]).toEqual([
    ['a', 2],
    ['b', 1],
  ]);
  hands.held.drop([claimOf('2')]);
  hands.held.drop([claimOf('2')]);
  expect([...hands.held.countByTarget()]).toEqual([
    ['a', 1],
    ['b', 1],
  ]);
  hands.held.drop(hands.held.claims());
  expect([hands.held.countByTarget().size, hands.held.count()]).toEqual([0, 0]);
});

test('a run that had to wait for a place until it was too late is not called, and is told as missed', async () => {
  const runs = Array.from({ length: maxConnectionsPerTarget }, (_, index) => claimed(`${index}`));
  take(...runs, claimed('late', { expiresAt: startMs + 5000 }));
  await pass(5001);
  await callAt(0).end();
  expect(begun).toHaveLength(maxConnectionsPerTarget);
  const err = 'EXPIRED: nobody had room to call it in time';
  expect(finished.at(-1)).toMatchObject({ claim: claimOf('late'), kind: 'expired', outcome: { err } });
});

describe('settle', () => {
  test('waits for the calls that have begun, and begins no other', async () => {
    take(claimed('1'), claimed('2', { dueIn: 300 }));
    let isSettled = false;
    const settling = hands.held.settle(5000).then(() => {
      isSettled = true;
    });
    await pass(1000);
    expect([isSettled, calls.length]).toEqual([false, 1]);
    await callAt(0).end();
    await settling;
    expect(doneIds()).toEqual(['1']);
    expect(hands.held.claims()).toEqual([claimOf('1'), claimOf('2')]);
    take(claimed('3'));
    expect(calls).toHaveLength(1);
  });

  test('cuts off what takes longer than it may, which has failed', async () => {
    take(claimed('1', {}, { retryDelaysMs: [2000] }), claimed('2'));
    const settling = hands.held.settle(5000);
    await callAt(1).end();
    await pass(4999);
    expect(callAt(0).signal?.aborted).toBe(false);
    await pass(1);
    await settling;
    expect(callAt(0).signal?.aborted).toBe(true);
    expect(hands.held.done()).toMatchObject([
      { run: { claim: claimOf('1') }, outcome: { isOk: false }, retryAt: startMs + 5000 + 2000 },
      { run: { claim: claimOf('2') }, outcome: { isOk: true } },
    ]);
  });

  test('of nothing is over at once', async () => {
    await hands.held.settle(5000);
    expect(hands.held.claims()).toEqual([]);
  });
});

test('a target has so many calls at once; the next ones begin as those end, and others do not wait for it', async () => {
  const runs = Array.from({ length: maxConnectionsPerTarget + 3 }, (_, index) => claimed(`${index}`));
  take(...runs, claimed('other', { target: 'http://127.0.0.1:10' }));
  expect(begun).toHaveLength(maxConnectionsPerTarget + 1);
  // One that waits, and is another's by now.
  const lost = claimOf(`${maxConnectionsPerTarget}`);
  hands.held.renewed?.({ kept: [], lost: [lost], sentAtMs: performance.now() });
  await callAt(0).end();
  expect(begun.at(-1)?.id).toBe(`${maxConnectionsPerTarget + 1}`);
  const settled = hands.held.settle(1000);
  await callAt(1).end();
  await pass(1000);
  await settled;
  expect(begun).toHaveLength(maxConnectionsPerTarget + 2);
});
