// The next time of a spec by plain search over days, hours, minutes and seconds: slow, and easy to believe.
import type { RandomSpec } from './random-spec.ts';
import type { ZoneClock } from './zone-clock.ts';

const dayS = 86_400;
const hourS = 3600;
/** Clocks change by less than this. */
const slackS = 2 * hourS;
const maxDays = 9 * 366;

/** Are second, minute and hour all given as numbers, lists and ranges? */
export function isFixedTime({ second, minute, hour }: RandomSpec): boolean {
  return second.isFixed && minute.isFixed && hour.isFixed;
}

/** Do the fields say this wall time (seconds since the epoch as UTC shows it)? */
export function matchesWall(spec: RandomSpec, wall: number): boolean {
  const date = new Date(wall * 1000);
  return (
    matchesDay(spec, wall) &&
    spec.hour.values.has(date.getUTCHours()) &&
    spec.minute.values.has(date.getUTCMinutes()) &&
    spec.second.values.has(date.getUTCSeconds())
  );
}

function matchesDay({ dayOfMonth, month, weekday }: RandomSpec, wall: number): boolean {
  const date = new Date(wall * 1000);
  if (!month.values.has(date.getUTCMonth() + 1)) return false;
  const isDayOfMonth = dayOfMonth.values.has(date.getUTCDate());
  const isWeekday = weekday.values.has(date.getUTCDay());
  return dayOfMonth.isStar || weekday.isStar ? isDayOfMonth && isWeekday : isDayOfMonth || isWeekday;
}

/**
 * The first moment after `from` (Unix seconds) by the rule of the house, 0 for none: a fixed time fires at the end of a
 * gap that it falls into and at the first of two like moments; any other at every moment that its fields say.
 */
export function findReferenceTime(spec: RandomSpec, clock: ZoneClock, from: number): number {
  const fromWall = from + clock.offsetAt(from);
  const firstDay = Math.floor(fromWall / dayS) * dayS - dayS;
  for (let day = firstDay; day < firstDay + maxDays * dayS; day += dayS) {
    if (!matchesDay(spec, day)) continue;
    let best = Infinity;
    for (const hour of [...spec.hour.values].toSorted((a, b) => a - b)) {
      const hourWall = day + hour * hourS;
      if (hourWall + hourS + slackS < fromWall) continue;
      if (best !== Infinity && hourWall - slackS > best + clock.offsetAt(best)) break;
      for (const minute of spec.minute.values) {
        for (const second of spec.second.values) {
          for (const at of firesOf(spec, clock, hourWall + minute * 60 + second)) {
            if (at > from && at < best) best = at;
          }
        }
      }
    }
    if (best !== Infinity) return best;
  }
  return 0;
}

function firesOf(spec: RandomSpec, clock: ZoneClock, wall: number): number[] {
  const moments = clock.momentsOf(wall);
  if (!isFixedTime(spec)) return moments;
  if (moments.length > 0) return moments.slice(0, 1);
  return clock.changes.filter((change) => isInGap(clock, change.at, wall)).map((change) => change.at);
}

/** Is it a wall time that the change of the clocks at this moment jumps over? */
export function isInGap(clock: ZoneClock, changeAt: number, wall: number): boolean {
  return wall >= changeAt + clock.offsetAt(changeAt - 1) && wall < changeAt + clock.offsetAt(changeAt);
}
