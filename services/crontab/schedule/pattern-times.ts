// The times of a cron pattern in a time zone. Croner does the arithmetic; what it was asked last is remembered.
import { Cron } from 'croner';
import type { CronPattern } from './cron-pattern.ts';
import type { FireTimes } from './fire-times.ts';

type Compiled = {
  cron: Cron;
  /** Between the two no time lies; `nextMs` is one. Newest first. */
  gaps: { fromMs: number; nextMs: number }[];
  /** `fireMs` is the newest time until `untilMs`. Newest first. */
  newest: { fireMs: number; untilMs: number }[];
};

/** A compiled pattern takes 80 KB, which is why no task holds on to one. */
const maxCompiled = 200;
/** Of each kind for a pattern: a thousand tasks of one pattern ask for the same few times. */
const maxAnswers = 4;

const lastMs = Date.UTC(9999, 11, 31);

const compiledPatterns = new Map<string, Compiled>();

/**
 * The times of a pattern on the clocks of a resolved time zone. Where the clocks change, a pattern whose second, minute
 * and hour are all numbers, lists or ranges fires once: right after the gap for a time that is skipped, at the first of
 * the two for a time that comes twice. One with a `*` or a step among them keeps its rhythm: nothing in the gap, and the
 * hour that comes twice is like any other two hours.
 */
export function timesOfPattern(pattern: Pick<CronPattern, 'text' | 'hasTimes'>, timeZone: string): FireTimes {
  // Croner would look through four centuries.
  if (!pattern.hasTimes) return { isOnce: false, after: () => Infinity, newestUntil: () => -Infinity };
  const key = `${pattern.text} ${timeZone}`;
  return {
    isOnce: false,
    after(atMs) {
      const { cron, gaps } = getCompiled(key, pattern.text, timeZone);
      const known = gaps.find(({ fromMs, nextMs }) => fromMs <= atMs && atMs < nextMs);
      if (known !== undefined) return known.nextMs;
      const nextMs = cron.nextRun(toDate(atMs))?.getTime() ?? Infinity;
      remember(gaps, { fromMs: atMs, nextMs });
      return nextMs;
    },
    newestUntil(atMs) {
      if (atMs < 0) return -Infinity;
      const { cron, newest } = getCompiled(key, pattern.text, timeZone);
      const known = newest.find(({ fireMs, untilMs }) => fireMs <= atMs && atMs <= untilMs);
      if (known !== undefined) return known.fireMs;
      // Croner looks before a time; within a second it finds the beginning of that second.
      const withinSecond = Math.floor(atMs / 1000) * 1000 + 500;
      const fireMs = cron.previousRuns(1, toDate(withinSecond))[0]?.getTime() ?? -Infinity;
      remember(newest, { fireMs, untilMs: atMs });
      return fireMs;
    },
  };
}

function getCompiled(key: string, text: string, timeZone: string): Compiled {
  const known = compiledPatterns.get(key);
  if (known !== undefined) {
    // The one used longest ago stands first.
    compiledPatterns.delete(key);
    compiledPatterns.set(key, known);
    return known;
  }
  const cron = new Cron(text, {
    timezone: timeZone,
    paused: true,
    mode: '6-part',
    fixedTimeRule: 'no-wildcard',
  });
  const compiled: Compiled = { cron, gaps: [], newest: [] };
  const [oldest] = compiledPatterns.keys();
  if (oldest !== undefined && compiledPatterns.size >= maxCompiled) compiledPatterns.delete(oldest);
  compiledPatterns.set(key, compiled);
  return compiled;
}

/** Dates end in the year 275760, and croner begins with the year 1: from the epoch to the year 9999 will do. */
function toDate(atMs: number): Date {
  return new Date(Math.min(Math.max(atMs, 0), lastMs));
}

function remember<Answer>(answers: Answer[], answer: Answer): void {
  answers.unshift(answer);
  if (answers.length > maxAnswers) answers.pop();
}
