// What was thrown, as text and as code: anything can be thrown.

/** The text of whatever was thrown, as one line. */
export function describeError(error: unknown): string {
  // A refused connection to a host with several addresses has no message of its own.
  if (error instanceof AggregateError) return error.errors.map(describeError).join('; ');
  const text = error instanceof Error ? error.message || error.name : String(error);
  return text.replaceAll(/\s*\n\s*/g, ' | ').trim();
}

/** The `code` of a Node.js system error such as `ENOENT`, or undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
