// Time zones: their names, and how far their clocks are ahead.

/** Is it a zone that this Node.js knows: one of the IANA database, such as `Asia/Shanghai`, or an offset? */
export function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The spelling of the IANA database for a name of any case; undefined when no such zone is known. */
export function resolveTimeZone(name: string): string | undefined {
  const known = names.get(name);
  if (known !== undefined) return known;
  if (!isTimeZone(name)) return undefined;
  const resolved = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  if (names.size < maxNames) names.set(name, resolved);
  return resolved;
}

/** Resolving one takes longer than firing it; callers may spell a name in more ways than are worth keeping. */
const names = new Map<string, string>();
const maxNames = 1000;

/** How far the clocks of a time zone are ahead of UTC, in milliseconds; throws `RangeError` for an unknown zone. */
export function offsetAt(atMs: number, timeZone: string): number {
  const parts = formatOf(timeZone).formatToParts(atMs);
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
  const match = /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(name);
  if (match === null) return 0;
  const [, sign, hours, minutes, seconds = '0'] = match;
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -ms : ms;
}

/** One for each zone, of which there are some hundreds, in the one spelling. */
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(name: string): Intl.DateTimeFormat {
  const timeZone = resolveTimeZone(name) ?? name;
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  formats.set(timeZone, format);
  return format;
}
