// `start_time` as callers write it: a timestamp, `@every` with a duration, or a cron pattern, with a time zone.
import { resolveTimeZone } from '../../../infra/schedule/time-zone.ts';
import { type CronPattern, parseCronPattern } from './cron-pattern.ts';
import { parseGoDuration } from './go-duration.ts';

export type StartTime =
  /** Milliseconds since the epoch. */
  | { kind: 'moment'; atMs: number }
  | { kind: 'every'; intervalMs: number }
  | { kind: 'pattern'; pattern: CronPattern };

export type ParsedStartTime =
  | { ok: true; startTime: StartTime; timeZone: string }
  | { ok: false; field: 'start_time' | 'time_zone'; reason: string };

/** From here on a timestamp is of milliseconds: as seconds it would lie in the year 5138. */
const minTimestampMs = 1e11;
/** The last second of the year 9999. */
const maxTimestampMs = 253_402_300_799_000;
const nanosecondsPerS = 1_000_000_000n;

/** Reads a `start_time`; a zone given in it (`TZ=…`, `CRON_TZ=…`) wins over `timeZone`. */
export function parseStartTime(given: number | string, timeZone: string): ParsedStartTime {
  const resolvedZone = resolveTimeZone(timeZone);
  if (resolvedZone === undefined) return refuse('time_zone', describeUnknownZone(timeZone));
  if (typeof given === 'number') return parseTimestamp(given, resolvedZone);

  const text = given.trim();
  const [prefix, zoneName] = /^(?:CRON_)?TZ=(\S*)\s*/.exec(text) ?? [];
  if (prefix === undefined || zoneName === undefined) return parseText(text, resolvedZone);
  const zone = resolveTimeZone(zoneName);
  if (zone === undefined) return refuse('start_time', describeUnknownZone(zoneName));
  return parseText(text.slice(prefix.length), zone);
}

function parseText(text: string, timeZone: string): ParsedStartTime {
  if (/^[+-]?\d+(?:\.\d*)?$/.test(text)) return parseTimestamp(Number(text), timeZone);
  const [, durationText] = /^@every(?:\s+(.*))?$/.exec(text) ?? [];
  if (text.startsWith('@every') && (durationText !== undefined || text === '@every')) {
    return parseEvery(durationText ?? '', timeZone);
  }
  const parsed = parseCronPattern(text);
  if (!parsed.ok) return refuse('start_time', parsed.reason);
  return { ok: true, startTime: { kind: 'pattern', pattern: parsed.pattern }, timeZone };
}

/** Whole seconds; a timestamp within one means its end, so that nothing fires before it. */
function parseTimestamp(value: number, timeZone: string): ParsedStartTime {
  if (!Number.isInteger(value) || value < 0) {
    return refuse(
      'start_time',
      `timestamp ${value} is not a whole number of seconds or milliseconds since 1970`,
    );
  }
  const ms = value < minTimestampMs ? value * 1000 : value;
  const atMs = Math.ceil(ms / 1000) * 1000;
  if (atMs > maxTimestampMs) return refuse('start_time', `timestamp ${value} is after the year 9999`);
  return { ok: true, startTime: { kind: 'moment', atMs }, timeZone };
}

/** As the Go library rounds: down to whole seconds, but up to one. */
function parseEvery(text: string, timeZone: string): ParsedStartTime {
  const nanoseconds = parseGoDuration(text);
  if (nanoseconds === undefined) {
    return refuse('start_time', `@every has the duration "${text}", expected one such as 30s, 1h30m or 1.5h`);
  }
  if (nanoseconds <= 0n) return refuse('start_time', `@every ${text} is not above 0`);
  const seconds = nanoseconds < nanosecondsPerS ? 1 : Number(nanoseconds / nanosecondsPerS);
  return { ok: true, startTime: { kind: 'every', intervalMs: seconds * 1000 }, timeZone };
}

function describeUnknownZone(name: string): string {
  return `time zone "${name}" is not in the IANA database, expected a name such as Asia/Shanghai`;
}

function refuse(field: 'start_time' | 'time_zone', reason: string): ParsedStartTime {
  return { ok: false, field, reason };
}
