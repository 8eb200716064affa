// Durations as Go writes them: `90s`, `1h30m`, `1.5h` (time.ParseDuration).

const nanoseconds = new Map([
  ['ns', 1n],
  ['us', 1000n],
  // The micro sign and the Greek letter.
  ['\u00b5s', 1000n],
  ['\u03bcs', 1000n],
  ['ms', 1_000_000n],
  ['s', 1_000_000_000n],
  ['m', 60_000_000_000n],
  ['h', 3600_000_000_000n],
]);

const duration = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)[a-z\u00b5\u03bc]+)+$/;
const parts = /(\d*)\.?(\d*)([a-z\u00b5\u03bc]+)/g;
/** About 292 years, the longest that Go knows. */
const maxNanoseconds = 2n ** 63n - 1n;

/**
 * The nanoseconds of a duration; undefined for what is none, or is longer than Go can say. A number without a unit is no
 * duration, other than 0.
 */
export function parseGoDuration(text: string): bigint | undefined {
  if (/^[+-]?0$/.test(text)) return 0n;
  if (!duration.test(text)) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unitName = ''] of text.matchAll(parts)) {
    const unit = nanoseconds.get(unitName);
    if (unit === undefined) return undefined;
    total += BigInt(whole) * unit + (BigInt(fraction) * unit) / 10n ** BigInt(fraction.length);
  }
  if (total > maxNanoseconds) return undefined;
  return text.startsWith('-') ? -total : total;
}
