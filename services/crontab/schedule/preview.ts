// The next times of a schedule, and how they are told to people.
import { offsetAt } from '../../../infra/schedule/time-zone.ts';
import type { FireTimes } from './fire-times.ts';

/** Up to `count` times after `fromMs`, in milliseconds since the epoch; fewer when no more come. */
export function previewTimes(
  times: FireTimes,
  { fromMs, count }: { fromMs: number; count: number },
): number[] {
  const found: number[] = [];
  for (let next = times.after(fromMs); found.length < count && next !== Infinity; next = times.after(next)) {
    found.push(next);
  }
  return found;
}

const minuteMs = 60_000;

/** RFC 3339 with the offset of the zone at that moment: `2026-11-22T15:04:05+08:00`; a part of a second is left out. */
export function formatInZone(atMs: number, timeZone: string): string {
  // Before the zones were agreed on there were offsets with seconds, which RFC 3339 cannot say.
  const offset = Math.floor(offsetAt(atMs, timeZone) / minuteMs);
  const local = new Date(atMs + offset * minuteMs).toISOString().slice(0, 19);
  const distance = Math.abs(offset);
  const hours = String(Math.floor(distance / 60)).padStart(2, '0');
  const minutes = String(distance % 60).padStart(2, '0');
  return `${local}${offset < 0 ? '-' : '+'}${hours}:${minutes}`;
}
