// How many jobs a replica claims. Pure.

/** So much work waits for each place, as long as jobs are short: places do not wait for the database then. */
const aheadMs = 40;
const maxAhead = 100;
/** A place that has been busy for so long is not one where short jobs come and go. */
const quickMs = 50;

/**
 * As many as there are free places, and ahead of that what will be done in a moment: what waits here behind a long job
 * could be worked on elsewhere. `agesMs`: how long each job has been worked on; `averageMs`: what jobs took lately.
 */
export function planClaim(
  places: number,
  { agesMs, waiting, averageMs }: { agesMs: readonly number[]; waiting: number; averageMs: number },
): number {
  const free = places - agesMs.length;
  const quick = free + agesMs.filter((ageMs) => ageMs < quickMs).length;
  const ahead = Math.min(Math.floor(aheadMs / averageMs), maxAhead);
  return Math.max(0, free + quick * ahead - waiting);
}
