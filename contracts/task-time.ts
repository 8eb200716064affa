// When a task may run: the two ends of `task_time`.
import { z } from 'zod';

/** The last second of the year 9999. */
const maxUnixS = 253_402_300_799;
const dayMs = 24 * 3600 * 1000;

const clockTime = /^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;
const date = /^\d{4}-\d\d-\d\d$/;
const dateTime =
  /^(?<day>\d{4}-\d\d-\d\d)[ T](?<time>([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?)(?<offset>Z|[+-]([01]\d|2[0-3]):?[0-5]\d)?$/;

/** Unix seconds, an ISO 8601 date or date-time (offsets up to ±23:59), or a clock time of each day. */
const taskTimeEnd = z.union([
  z.int().min(0).max(maxUnixS),
  z.string().refine((text) => clockTime.test(text) || isDay(text), {
    error: 'expected Unix seconds, an ISO 8601 date-time or HH:MM',
  }),
]);
type TaskTimeEnd = z.infer<typeof taskTimeEnd>;

/** `[start, end]`, or null for always. */
export const taskTimeSchema = z.tuple([taskTimeEnd, taskTimeEnd]).nullable();

/**
 * The same as callers give it: a window that never opens is refused where that can be told here, which is when both ends
 * are moments, or both are dates or times on the same clocks. Two clock times that are equal mean the whole day.
 */
export const taskTimeRequestSchema = taskTimeSchema.check((context) => {
  if (context.value === null) return;
  const [start, end] = context.value;
  const from = parseMoment(start);
  // The day of a date that ends a window lies within.
  const until = parseMoment(end, dayMs);
  if (from === undefined || until === undefined || from.isLocal !== until.isLocal || from.ms < until.ms)
    return;
  context.issues.push({
    code: 'custom',
    input: context.value,
    message: `expected an end after the start: from ${start} to ${end} there is no time`,
  });
});

/** A day that the calendar has: `Date.parse` takes 31 February for 3 March. */
function isDay(text: string): boolean {
  if (!date.test(text) && !dateTime.test(text)) return false;
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  return new Date(Date.UTC(year, month - 1, day)).getUTCMonth() === month - 1 && day > 0;
}

/** `isLocal`: milliseconds on clocks that only the scheduler knows. Undefined for a clock time, which is of every day. */
function parseMoment(end: TaskTimeEnd, dateLengthMs = 0): { ms: number; isLocal: boolean } | undefined {
  if (typeof end === 'number') return { ms: end * 1000, isLocal: false };
  if (date.test(end)) return { ms: Date.parse(end) + dateLengthMs, isLocal: true };
  const groups = dateTime.exec(end)?.groups;
  if (groups === undefined) return undefined;
  const { day, time, offset } = groups;
  // Offsets without a colon are not what Date reads.
  const zone = offset?.replace(/(\d\d)(\d\d)$/, '$1:$2') ?? 'Z';
  return { ms: Date.parse(`${day}T${time}${zone}`), isLocal: offset === undefined };
}
