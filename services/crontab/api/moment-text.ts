// Moments as replies tell them.

/** ISO 8601, UTC, milliseconds; empty for none, and for one that never comes. */
export function formatMoment(at: Date | number | null): string {
  return at instanceof Date ? at.toISOString() : '';
}
