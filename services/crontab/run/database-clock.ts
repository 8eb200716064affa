// The clock of the database as this process can tell it: what it says in answers, and how long ago that was.

export type DatabaseClock = {
  /** A time of the database that came in an answer just now. */
  note(nowMs: number): void;
  /** Milliseconds since the epoch. Never ahead of the database, and behind it by no more than the way of an answer. */
  nowMs(): number;
};

/** Clocks drift apart, and jump: what was noted longer ago does not count. */
const memoryMs = 60_000;

/** `now` is a clock that only goes forward, in milliseconds. Before the first answer the time is NaN. */
export function createDatabaseClock(now: () => number = () => performance.now()): DatabaseClock {
  /** How far the database was ahead, newest last, each less than the one before. */
  let offsets: { offset: number; notedAt: number }[] = [];

  return {
    note(nowMs) {
      const notedAt = now();
      const offset = nowMs - notedAt;
      // An answer that took longer makes the database look slower than it is: the largest offset is the truest.
      offsets = offsets.filter((each) => each.notedAt > notedAt - memoryMs && each.offset > offset);
      offsets.push({ offset, notedAt });
    },
    nowMs: () => now() + (offsets[0]?.offset ?? Number.NaN),
  };
}
