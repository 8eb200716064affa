// When a task may run: its `task_time`, in the platform's time zone.
import type { Task } from '../../contracts/task.ts';
import { offsetAt } from '../../infra/schedule/time-zone.ts';

/** Is a moment within the window, and when does the window open next? Times are milliseconds since the epoch. */
export type TaskWindow = {
  has(atMs: number): boolean;
  /** The first moment not before `atMs` that lies in the window; Infinity when there is none any more. */
  openFrom(atMs: number): number;
  /** How long it stays open from such a moment on. */
  openFor(openMs: number): number;
};

const dayMs = 24 * 3600 * 1000;

export const alwaysOpen: TaskWindow = {
  has: () => true,
  openFrom: (atMs) => atMs,
  openFor: () => Infinity,
};

/**
 * The window of a task: from its start, included, to its end, not included; an end that is a date includes that day.
 * Two clock times (`HH:MM`) open it every day, over midnight when the end is not after the start. A clock time beside a
 * date or a moment opens, or closes, every day of that time. Texts without an offset are meant in `timeZone`.
 */
export function createTaskWindow(taskTime: Task['task_time'], timeZone: string): TaskWindow {
  if (taskTime === null) return alwaysOpen;
  const [start, end] = taskTime;
  const fromClock = parseClock(start);
  const toClock = parseClock(end);
  const fromMs = fromClock === undefined ? parseMoment(start, timeZone) : -Infinity;
  const toMs = toClock === undefined ? parseMoment(end, timeZone, isDate(end) ? dayMs : 0) : Infinity;
  const isDaily = fromClock !== undefined || toClock !== undefined;
  const opens = fromClock ?? 0;
  const closes = toClock ?? dayMs;

  function isOpenAt(clockMs: number): boolean {
    return opens < closes ? clockMs >= opens && clockMs < closes : clockMs >= opens || clockMs < closes;
  }
  function has(atMs: number): boolean {
    return atMs >= fromMs && atMs < toMs && (!isDaily || isOpenAt(clockAt(atMs, timeZone)));
  }

  /** From `fromMs` on, the first moment of these clock times, or the first after a change of the clocks that jumped it. */
  function nextOf(clockMs: number, fromMs: number, isThere: (atMs: number) => boolean): number {
    for (let atMs = fromMs; ; ) {
      const nextMs = atMs + (sinceClock(clockMs, clockAt(atMs, timeZone)) || dayMs);
      if (offsetAt(nextMs, timeZone) === offsetAt(atMs, timeZone)) return nextMs;
      atMs = findClockChange(atMs, nextMs, timeZone);
      if (isThere(atMs)) return atMs;
    }
  }

  return {
    has,
    openFrom(atMs) {
      const openMs = Math.max(atMs, fromMs);
      if (openMs >= toMs) return Infinity;
      if (has(openMs)) return openMs;
      const nextMs = nextOf(opens, openMs, has);
      return nextMs < toMs ? nextMs : Infinity;
    },
    openFor(openMs) {
      const closeMs = isDaily ? nextOf(closes, openMs, (atMs) => !has(atMs)) : Infinity;
      return Math.min(closeMs, toMs) - openMs;
    },
  };
}

/** From the one clock time to the other, the next day's if need be. */
function sinceClock(laterMs: number, earlierMs: number): number {
  return (laterMs - earlierMs + dayMs) % dayMs;
}

type TaskTimeEnd = NonNullable<Task['task_time']>[number];

/** Milliseconds since midnight of a clock time; undefined when it is none. */
function parseClock(end: TaskTimeEnd): number | undefined {
  const match = typeof end === 'string' ? /^(\d\d):(\d\d)(?::(\d\d))?$/.exec(end) : null;
  if (match === null) return undefined;
  const [, hours, minutes, seconds = '0'] = match;
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
}

function isDate(end: TaskTimeEnd): boolean {
  return typeof end === 'string' && /^\d{4}-\d\d-\d\d$/.test(end);
}

/** `laterMs` is added on the clocks of the zone: a day of theirs may have 23 or 25 hours. */
function parseMoment(end: TaskTimeEnd, timeZone: string, laterMs = 0): number {
  if (typeof end === 'number') return end * 1000;
  const [date = '', time = '00:00'] = end.split(/[ T]/);
  const hasOffset = /(Z|[+-]\d\d:?\d\d)$/.test(time);
  // Offsets without a colon are not what Date reads.
  const text = `${date}T${time.replace(/([+-]\d\d)(\d\d)$/, '$1:$2')}`;
  if (hasOffset) return Date.parse(text);
  const asUtc = Date.parse(`${text}Z`) + laterMs;
  // Twice: the offset that holds there may differ from the one at the same clock time in UTC.
  const guess = asUtc - offsetAt(asUtc, timeZone);
  return asUtc - offsetAt(guess, timeZone);
}

/** Milliseconds since midnight on the clocks of the zone. */
function clockAt(atMs: number, timeZone: string): number {
  return (((atMs + offsetAt(atMs, timeZone)) % dayMs) + dayMs) % dayMs;
}

/** The moment after `fromMs`, up to `toMs`, from which on the clocks of the zone go as they do at `toMs`. */
function findClockChange(fromMs: number, toMs: number, timeZone: string): number {
  const offset = offsetAt(toMs, timeZone);
  let before = fromMs;
  let after = toMs;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (offsetAt(middle, timeZone) === offset) after = middle;
    else before = middle;
  }
  return after;
}
