// Order and punctuality of the timer heap.
import { describe, expect, test } from 'vitest';
import { createTimerHeap, type TimerEntry } from '../../../../services/agent/dns/timer-heap.ts';

const now = () => performance.now();
const nothingRead = () => 0;

function entry(onDue: () => void): TimerEntry {
  return { dueAt: 0, heapIndex: -1, onDue };
}

describe('createTimerHeap', () => {
  test('calls entries in order of their time, none of them early', async () => {
    const timers = createTimerHeap(now, nothingRead);
    const start = now();
    const fired: { offsetMs: number; atMs: number }[] = [];
    const offsets = [40, 5, 25, 5, 60, 15, 1, 33];
    await new Promise<void>((resolve) => {
      for (const offsetMs of offsets) {
        const onDue = () => {
          fired.push({ offsetMs, atMs: now() - start });
          if (fired.length === offsets.length) resolve();
        };
        timers.set(entry(onDue), start + offsetMs);
      }
    });
    expect(fired.map(({ offsetMs }) => offsetMs)).toEqual([...offsets].sort((a, b) => a - b));
    for (const { offsetMs, atMs } of fired) expect(atMs).toBeGreaterThanOrEqual(offsetMs);
  });

  test('keeps its order through any mix of setting, moving and clearing', async () => {
    const timers = createTimerHeap(now, nothingRead);
    const start = now() + 20;
    const wanted = new Map<TimerEntry, number>();
    const fired: number[] = [];
    let finish: () => void = () => undefined;
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const entries = Array.from({ length: 500 }, () => {
      const each: TimerEntry = entry(() => {
        fired.push(wanted.get(each) ?? Number.NaN);
        wanted.delete(each);
        if (wanted.size === 0) finish();
      });
      return each;
    });
    for (let step = 0; step < 5000; step++) {
      const each = entries[(step * 7919) % entries.length];
      if (each === undefined) throw new Error('no such entry');
      if (step % 3 === 0) {
        timers.clear(each);
        wanted.delete(each);
      } else {
        const dueAt = start + ((step * 104_729) % 30_011) / 1000;
        timers.set(each, dueAt);
        wanted.set(each, dueAt);
      }
    }
    const expected = [...wanted.values()].sort((a, b) => a - b);
    expect(expected.length).toBeGreaterThan(100);
    await finished;
    expect(fired).toEqual(expected);
  });

  test('calls nothing after it was stopped', async () => {
    const timers = createTimerHeap(now, nothingRead);
    const stopped = entry(() => {
      throw new Error('called after stop');
    });
    timers.set(stopped, now() + 1);
    timers.stop();
    const other = createTimerHeap(now, nothingRead);
    await new Promise<void>((resolve) => other.set(entry(resolve), now() + 10));
    expect(stopped.heapIndex).toBe(-1);
  });

  test('leaves the event loop to others after a quarter of a millisecond of calls', async () => {
    let time = 0;
    const timers = createTimerHeap(() => time, nothingRead);
    let turn = 0;
    const turns: number[] = [];
    await new Promise<void>((resolve) => {
      const onDue = () => {
        time += 0.1;
        turns.push(turn);
        if (turns.length === 30) resolve();
      };
      for (let count = 0; count < 30; count++) timers.set(entry(onDue), 0);
      const countTurns = () => {
        turn++;
        if (turns.length < 30) setImmediate(countTurns);
      };
      countTurns();
    });
    for (const each of turns) expect(turns.filter((other) => other === each)).toHaveLength(3);
  });

  test('calls nothing after a stall while messages are still being read', async () => {
    let time = 0;
    let reads = 0;
    const timers = createTimerHeap(
      () => time,
      () => (reads < 12 ? ++reads : reads),
    );
    const called = new Promise<number>((resolve) =>
      timers.set(
        entry(() => resolve(reads)),
        10,
      ),
    );
    time = 500;
    expect(await called).toBe(12);
  });

  test('goes on after 16 turns of reading though there is more', async () => {
    let time = 0;
    let reads = 0;
    const timers = createTimerHeap(
      () => time,
      () => ++reads,
    );
    const called = new Promise<number>((resolve) =>
      timers.set(
        entry(() => resolve(reads)),
        10,
      ),
    );
    time = 500;
    expect(await called).toBe(1 + 16 + 1);
  });

  test('waits for no reading when it was punctual', async () => {
    let reads = 0;
    const timers = createTimerHeap(
      () => 10,
      () => ++reads,
    );
    await new Promise<void>((resolve) => timers.set(entry(resolve), 10));
    expect(reads).toBe(0);
  });
});
