// The names of time zones.

/** Is it a zone that this Node.js knows: one of the IANA database, such as `Asia/Shanghai`, or an offset? */
export function isTimeZone(name: string): boolean {
  try {
    return Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
