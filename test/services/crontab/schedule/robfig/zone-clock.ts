// The changes of a zone's clocks over the years of the comparison, found without the code that is compared.

/** Seconds since the epoch throughout; a wall time is the Unix time at which UTC shows the same. */
export type ClockChange = {
  /** The first second of the new offset. */
  at: number;
  /** By how much the clocks go forward; below 0 they go back. */
  by: number;
};

export type ZoneClock = {
  changes: readonly ClockChange[];
  offsetAt(at: number): number;
  /** Every moment at which the clocks show this wall time: one, two in an hour that comes twice, none in a gap. */
  momentsOf(wall: number): number[];
};

const firstAt = Date.UTC(2024, 0, 1) / 1000;
const lastAt = Date.UTC(2040, 0, 1) / 1000;
const stepS = 7 * 86_400;

export function createZoneClock(timeZone: string): ZoneClock {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  function readOffset(at: number): number {
    const [, day, month, year, time] = /^(\d+)\/(\d+)\/(\d+), ([\d:]+)$/.exec(format.format(at * 1000)) ?? [];
    return Date.parse(`${year}-${month}-${day}T${time}Z`) / 1000 - at;
  }

  const changes: ClockChange[] = [];
  for (let from = firstAt; from < lastAt; from += stepS) {
    const by = readOffset(from + stepS) - readOffset(from);
    if (by === 0) continue;
    let before = from;
    let after = from + stepS;
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (readOffset(middle) === readOffset(from)) before = middle;
      else after = middle;
    }
    changes.push({ at: after, by });
  }

  const firstOffset = readOffset(firstAt);
  function offsetAt(at: number): number {
    let offset = firstOffset;
    for (const change of changes) {
      if (change.at > at) break;
      offset += change.by;
    }
    return offset;
  }
  return {
    changes,
    offsetAt,
    momentsOf(wall) {
      // Offsets of any zone lie within a day, and no two changes do.
      const offsets = new Set([offsetAt(wall - 86_400), offsetAt(wall + 86_400)]);
      return [...offsets]
        .map((offset) => wall - offset)
        .filter((at) => offsetAt(at) === wall - at)
        .toSorted((a, b) => a - b);
    },
  };
}
