// Caps and fairness of the admission, without any socket.
import { describe, expect, test } from 'vitest';
import {
  type Admission,
  type AdmissionOptions,
  createAdmission,
  type Waiter,
} from '../../../../services/agent/dns/admission.ts';
import { createSeededRandom } from '../../../helpers/seeded-random.ts';

type Recorded = Waiter & { label: string };

function setUp(options: Partial<AdmissionOptions> = {}) {
  const admission = createAdmission({
    maxInFlight: 100,
    maxInFlightPerServer: 100,
    now: () => performance.now(),
    ...options,
  });
  const granted: Recorded[] = [];
  function enter(lane: string | number, serverKey: string, count = 1): Recorded[] {
    return Array.from({ length: count }, (_, index) => {
      const waiter: Recorded = {
        lane,
        serverKey,
        label: `${lane}:${serverKey}:${index}`,
        isWaiting: false,
        onGranted: () => granted.push(waiter),
      };
      admission.enter(waiter);
      return waiter;
    });
  }
  return { admission, granted, enter, labels: () => granted.map((waiter) => waiter.label) };
}

/** Lets the admission grant until it has nothing more to grant: one batch per turn of the event loop. */
async function settle(admission: Admission): Promise<void> {
  for (let before = -1, quiet = 0; quiet < 2; ) {
    await new Promise(setImmediate);
    quiet = admission.waiting === before ? quiet + 1 : 0;
    before = admission.waiting;
  }
}

describe('createAdmission', () => {
  test('grants in a later turn of the event loop, not while entering', async () => {
    const { admission, granted, enter } = setUp();
    enter('a', 's');
    expect(granted).toHaveLength(0);
    await settle(admission);
    expect(granted).toHaveLength(1);
  });

  test('never has more in flight than the overall cap', async () => {
    const { admission, granted, enter } = setUp({ maxInFlight: 7 });
    for (let index = 0; index < 20; index++) enter('a', `s${index}`);
    await settle(admission);
    expect(admission).toMatchObject({ inFlight: 7, waiting: 13 });
    for (let served = 0; served < 20; served++) {
      const waiter = granted[served];
      if (waiter === undefined) throw new Error('a query was never granted');
      admission.release(waiter);
      await settle(admission);
      expect(admission.inFlight).toBeLessThanOrEqual(7);
    }
    expect(admission).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test('never has more in flight to one server than its cap, and serves them all in the end', async () => {
    const { admission, granted, enter } = setUp({ maxInFlightPerServer: 3 });
    for (let lane = 0; lane < 50; lane++) enter(lane, 's', 4);
    let served = 0;
    for (; served < 200; served++) {
      await settle(admission);
      expect(admission.inFlight).toBeLessThanOrEqual(3);
      const waiter = granted[served];
      if (waiter === undefined) break;
      admission.release(waiter);
    }
    expect(served).toBe(200);
  });

  test('takes lanes in turn, whatever their length', async () => {
    const { admission, labels, enter } = setUp();
    enter('long', 's', 30);
    enter('short', 's', 2);
    await settle(admission);
    expect(labels().slice(0, 4)).toEqual(['long:s:0', 'short:s:0', 'long:s:1', 'short:s:1']);
  });

  test('takes the servers of one lane in turn', async () => {
    const { admission, labels, enter } = setUp();
    enter('a', 'first', 3);
    enter('a', 'second', 3);
    await settle(admission);
    expect(labels().slice(0, 4)).toEqual(['a:first:0', 'a:second:0', 'a:first:1', 'a:second:1']);
  });

  test('keeps a full server with 10,000 waiters from holding up its own lane or others', async () => {
    const { admission, granted, enter } = setUp({ maxInFlightPerServer: 5, maxInFlight: 50 });
    enter('a', 'dead', 10_000);
    enter('a', 'alive', 5);
    enter('b', 'alive-too', 5);
    await settle(admission);
    expect(granted.filter((waiter) => waiter.serverKey !== 'dead')).toHaveLength(10);
    expect(admission).toMatchObject({ inFlight: 15, waiting: 9_995 });
  });

  test('shares a scarce server between the lanes that wait for it', async () => {
    const { admission, granted, enter } = setUp({ maxInFlightPerServer: 1 });
    enter('a', 's', 10);
    enter('b', 's', 10);
    for (let served = 0; served < 10; served++) {
      await settle(admission);
      const waiter = granted[served];
      if (waiter === undefined) throw new Error('a query was never granted');
      admission.release(waiter);
    }
    const lanes = granted.slice(0, 10).map((waiter) => waiter.lane);
    expect(lanes.filter((lane) => lane === 'a')).toHaveLength(5);
  });

  test('skips waiters that left and goes on to those behind them', async () => {
    const { admission, labels, enter } = setUp({ maxInFlightPerServer: 1 });
    const [first, second, third] = enter('a', 's', 3);
    const others = enter('b', 's', 2);
    await settle(admission);
    if (first === undefined || second === undefined || third === undefined) throw new Error('no waiters');
    admission.leave(second);
    admission.leave(third);
    if (others[0] !== undefined) admission.leave(others[0]);
    expect(admission.waiting).toBe(1);
    admission.release(first);
    await settle(admission);
    expect(labels()).toEqual(['a:s:0', 'b:s:1']);
  });

  test('passes a free place on when all waiters of the lane whose turn it is have left', async () => {
    const { admission, granted, labels, enter } = setUp({ maxInFlightPerServer: 1 });
    enter('a', 's', 2);
    const others = enter('b', 's', 2);
    await settle(admission);
    for (const waiter of others) admission.leave(waiter);
    // The server's place was full when both lanes had their turn: b came first and is the first to be asked.
    const [first] = granted;
    if (first === undefined) throw new Error('nothing was granted');
    admission.release(first);
    await settle(admission);
    expect(labels()).toEqual(['a:s:0', 'a:s:1']);
  });

  test('serves any number of lanes that come and go', async () => {
    const { admission, granted, enter } = setUp();
    for (let lane = 0; lane < 20_000; lane++) enter(lane, `s${lane % 300}`);
    for (let served = 0; served < 20_000; served++) {
      if (granted[served] === undefined) await settle(admission);
      const waiter = granted[served];
      if (waiter === undefined) throw new Error(`only ${served} were granted`);
      admission.release(waiter);
    }
    expect(admission).toMatchObject({ inFlight: 0, waiting: 0 });
  });

  test('grants nothing after it was stopped', async () => {
    const { admission, granted, enter } = setUp();
    enter('a', 's', 3);
    admission.stop();
    await settle(admission);
    enter('a', 's');
    await settle(admission);
    expect(granted).toHaveLength(0);
  });

  test('grants 32 queries in one turn of the event loop at most', async () => {
    const { granted, enter } = setUp({ now: () => 0 });
    enter('a', 's', 80);
    const counts: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      await new Promise(setImmediate);
      counts.push(granted.length);
    }
    expect(counts).toEqual([32, 64, 80]);
  });

  test('grants for a quarter of a millisecond in one turn at most', async () => {
    let time = 0;
    const { granted, enter } = setUp({ now: () => (time += 0.1) });
    enter('a', 's', 7);
    const counts: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      await new Promise(setImmediate);
      counts.push(granted.length);
    }
    expect(counts).toEqual([3, 6, 7]);
  });
});

describe('a lane bound to a share', () => {
  const laneShares = new Map([['bound', 0.75]]);

  function releaseOne(admission: Admission, granted: Recorded[], lane: string): void {
    const index = granted.findIndex((waiter) => waiter.lane === lane);
    const [waiter] = granted.splice(index, 1);
    if (index < 0 || waiter === undefined) throw new Error(`${lane} has no place`);
    admission.release(waiter);
  }
  const countOf = (granted: Recorded[], lane: string) =>
    granted.filter((waiter) => waiter.lane === lane).length;

  test('leaves the rest of all places to others, who may have every place', async () => {
    const { admission, granted, enter } = setUp({ maxInFlight: 8, laneShares });
    for (let index = 0; index < 20; index++) enter('bound', `s${index}`);
    await settle(admission);
    expect(admission).toMatchObject({ inFlight: 6, waiting: 14, waitingBound: 14 });
    enter('free', 't', 3);
    await settle(admission);
    expect(countOf(granted, 'free')).toBe(2);
    expect(admission).toMatchObject({ inFlight: 8, waiting: 15, waitingBound: 14 });

    const alone = setUp({ maxInFlight: 8, laneShares });
    alone.enter('free', 't', 20);
    await settle(alone.admission);
    expect(alone.admission).toMatchObject({ inFlight: 8, waiting: 12, waitingBound: 0 });
  });

  test('leaves the rest of the places of each server to others, who may have every place', async () => {
    const { admission, granted, enter } = setUp({ maxInFlightPerServer: 8, laneShares });
    enter('bound', 's', 10_000);
    enter('bound', 't', 3);
    enter('free', 'u', 10);
    await settle(admission);
    const placesAt = (key: string) => granted.filter(({ serverKey }) => serverKey === key).length;
    expect(['s', 't', 'u'].map(placesAt)).toEqual([6, 3, 8]);
    enter('free', 's', 3);
    await settle(admission);
    expect(granted.filter(({ lane, serverKey }) => lane === 'free' && serverKey === 's')).toHaveLength(2);
    expect(placesAt('s')).toBe(8);
  });

  test('has one place at least, of all and at each server', async () => {
    const { admission, enter } = setUp({ maxInFlight: 2, maxInFlightPerServer: 1, laneShares });
    enter('bound', 's', 2);
    enter('bound', 't', 2);
    await settle(admission);
    expect(admission).toMatchObject({ inFlight: 1, waiting: 3 });
  });

  test('goes on with every place it gives back, to the end', async () => {
    const { admission, granted, enter } = setUp({ maxInFlight: 8, maxInFlightPerServer: 4, laneShares });
    for (const key of ['s', 't', 'u', 'v']) enter('bound', key, 50);
    for (let served = 0; served < 200; served++) {
      await settle(admission);
      expect(admission.inFlight).toBeLessThanOrEqual(6);
      releaseOne(admission, granted, 'bound');
    }
    expect(admission).toMatchObject({ inFlight: 0, waiting: 0, waitingBound: 0 });
  });

  test('takes turns with the others where all places of a server are taken', async () => {
    const { admission, granted, labels, enter } = setUp({ maxInFlightPerServer: 1, laneShares });
    enter('bound', 's', 8);
    enter('a', 's', 8);
    enter('b', 's', 8);
    for (let served = 0; served < 12; served++) {
      await settle(admission);
      const waiter = granted[served];
      if (waiter === undefined) throw new Error(`only ${served} were granted`);
      admission.release(waiter);
    }
    const lanes = labels()
      .slice(0, 12)
      .map((label) => label.split(':')[0]);
    for (const lane of ['bound', 'a', 'b']) expect(lanes.filter((each) => each === lane)).toHaveLength(4);
  });

  test('does not hold up those parked behind it while it has its share of all places', async () => {
    const { admission, granted, enter } = setUp({ maxInFlight: 8, maxInFlightPerServer: 2, laneShares });
    enter('free', 's', 2);
    await settle(admission);
    // Parked in this order with the server, which is full.
    enter('bound', 's', 5);
    enter('other', 's', 5);
    await settle(admission);
    for (const key of ['t', 'u', 'v', 'w', 'x', 'y']) enter('bound', key);
    await settle(admission);
    expect(countOf(granted, 'bound')).toBe(6);
    releaseOne(admission, granted, 'free');
    await settle(admission);
    expect(countOf(granted, 'other')).toBe(1);
    expect(admission.inFlight).toBe(8);
  });

  test('keeps to its share, and no place stays free that somebody may have, in any order of events', async () => {
    const random = createSeededRandom(7);
    const { admission, granted, enter } = setUp({ maxInFlight: 9, maxInFlightPerServer: 4, laneShares });
    let waiting: Recorded[] = [];
    let leaverCount = 0;
    for (let step = 0; step < 2000; step++) {
      const lane = random.pick(['bound', 'bound', 'a', 'b', `once-${step}`]);
      if (random.below(2) === 0) waiting.push(...enter(lane, `s${random.below(6)}`, random.below(4)));
      const leaver = waiting[random.below(waiting.length)];
      if (random.below(4) === 0 && leaver?.isWaiting) {
        admission.leave(leaver);
        leaverCount++;
      }
      for (let count = random.below(5); count > 0 && granted.length > 0; count--) {
        const [waiter] = granted.splice(random.below(granted.length), 1);
        if (waiter !== undefined) admission.release(waiter);
      }
      if (step % 10 === 0) await settle(admission);
      else await new Promise(setImmediate);

      waiting = waiting.filter((waiter) => waiter.isWaiting);
      const at = (key: string) => granted.filter(({ serverKey }) => serverKey === key);
      expect(countOf(granted, 'bound')).toBeLessThanOrEqual(6);
      for (const { serverKey } of granted) {
        expect(at(serverKey).length).toBeLessThanOrEqual(4);
        expect(countOf(at(serverKey), 'bound')).toBeLessThanOrEqual(3);
      }
      expect(admission).toMatchObject({
        inFlight: granted.length,
        waiting: waiting.length,
        waitingBound: countOf(waiting, 'bound'),
      });
      if (step % 10 > 0 || granted.length === 9) continue;
      const served = waiting.find(({ lane: own, serverKey }) => {
        const isOverShare = countOf(granted, 'bound') === 6 || countOf(at(serverKey), 'bound') === 3;
        return at(serverKey).length < 4 && (own !== 'bound' || !isOverShare);
      });
      expect(served?.label).toBe(undefined);
    }
    expect(leaverCount).toBeGreaterThan(50);
    for (await settle(admission); granted.length > 0; await settle(admission))
      for (const waiter of granted.splice(0)) admission.release(waiter);
    expect(admission).toMatchObject({ inFlight: 0, waiting: 0, waitingBound: 0 });
  });
});
