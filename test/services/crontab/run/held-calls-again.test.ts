// Runs in hand that are claimed a second time, and runs that nobody may call a second time.
import { describe, expect, test } from 'vitest';
import { leaseMs } from '../../../../services/crontab/run/run-store.ts';
import { claimOf, pass, useHeldCalls } from './use-held-calls.ts';

const hands = useHeldCalls();
const { calls, logged, onlyOnce, claimed, take, callAt, doneIds } = hands;

describe('a run that is claimed once more by the same process', () => {
  test('before its time is called once, under the new claim and its lease', async () => {
    hands.held.take(claimed('1', { dueIn: 300 }), performance.now() - leaseMs + 1000);
    take(claimed('1', { claim: claimOf('1', 2), lapses: 1 }));
    expect(hands.held.claims()).toEqual([claimOf('1', 2)]);
    await pass(300);
    await callAt(0).end();
    expect(calls).toHaveLength(1);
    expect(hands.held.done()).toMatchObject([{ claim: claimOf('1', 2), run: { lapses: 0 } }]);
  });

  test('during its call is not called twice, and ends under the new claim', async () => {
    take(claimed('1'));
    take(claimed('1', { claim: claimOf('1', 3) }));
    expect([calls.length, hands.held.count()]).toEqual([1, 1]);
    await callAt(0).end();
    expect(hands.held.done()).toMatchObject([{ claim: claimOf('1', 3) }]);
  });

  test('after its call is stored under the new claim, and an answer to the old one changes nothing', async () => {
    take(claimed('1'));
    await callAt(0).end();
    take(claimed('1', { claim: claimOf('1', 2) }));
    hands.held.drop([claimOf('1')]);
    hands.held.putOff(claimOf('1'));
    expect(calls).toHaveLength(1);
    expect(hands.held.done()).toMatchObject([{ claim: claimOf('1', 2) }]);
  });

  test('for its retry is called, though what came of the try before has yet to be dropped', async () => {
    take(claimed('1', {}, { retryDelaysMs: [0, 0] }));
    await callAt(0).end({ isOk: false });
    const stored = hands.held.done();
    take(claimed('1', { claim: claimOf('1', 3), try: 1 }));
    expect(calls).toHaveLength(2);
    expect(hands.held.done()).toEqual([]);
    hands.held.drop(stored.map(({ claim }) => claim));
    expect([hands.held.count(), hands.held.claims()]).toEqual([1, [claimOf('1', 3)]]);
    await callAt(1).end();
    expect(hands.held.done()).toMatchObject([
      { claim: claimOf('1', 3), run: { try: 1 }, outcome: { isOk: true } },
    ]);
    expect([...hands.held.countByTarget()]).toEqual([['http://127.0.0.1:9', 1]]);
  });

  test('for a retry that another replica planned has what came of its own call forgotten', async () => {
    take(claimed('1'));
    take(claimed('1', { claim: claimOf('1', 4), try: 1, dueIn: 300 }));
    await callAt(0).end();
    expect(hands.held.done()).toEqual([]);
    await pass(300);
    await callAt(1).end({ resp: 'of the second' });
    expect(hands.held.done()).toMatchObject([{ claim: claimOf('1', 4), outcome: { resp: 'of the second' } }]);
  });
});

describe('a run that is delivered at most once', () => {
  const once = { isAtMostOnce: true };

  test('is called when that is written down, and not before', async () => {
    const written = Promise.withResolvers<boolean>();
    onlyOnce.answer = () => written.promise;
    take(claimed('1', { dueIn: 200 }, once));
    await pass(100);
    expect(onlyOnce.asked).toEqual([]);
    await pass(100);
    expect([onlyOnce.asked, calls]).toEqual([[claimOf('1')], []]);
    written.resolve(true);
    await pass(0);
    expect(calls).toHaveLength(1);
  });

  test('and is another’s by now is let go', async () => {
    onlyOnce.answer = async () => false;
    take(claimed('1', {}, once));
    await pass(0);
    expect([calls, hands.held.count()]).toEqual([[], 0]);
  });

  test('is let go where that cannot be written down', async () => {
    onlyOnce.answer = () => Promise.reject(new Error('away'));
    take(claimed('1', {}, once));
    await pass(0);
    expect([calls, hands.held.count()]).toEqual([[], 0]);
    expect(logged).toMatchObject([{ run: '1', msg: 'a call could not be made' }]);
  });

  test('is onlyOnce.asked for alone', async () => {
    take(claimed('1'), claimed('2', {}, once));
    await pass(0);
    expect(onlyOnce.asked).toEqual([claimOf('2')]);
  });

  test('is not handed back at a stop once it was called, and one that was not is', async () => {
    take(claimed('called', {}, once), claimed('waiting', { dueIn: 400 }, once), claimed('plain'));
    await pass(0);
    const settling = hands.held.settle(5000);
    // Its lease is kept meanwhile.
    expect(hands.held.claims()).toHaveLength(3);
    await callAt(0).end();
    await callAt(1).end();
    await settling;
    expect(doneIds().toSorted()).toEqual(['called', 'plain']);
    expect(hands.held.claims().map(({ id }) => id)).toEqual(['waiting', 'plain']);
  });
});
