// Waiting that has an end.

/** Resolves with the work, or when the time is up, whichever is first; rejects with a work that fails before. */
export async function waitAtMost(work: Promise<unknown>, limitMs: number): Promise<void> {
  const { promise: timeUp, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, limitMs);
  try {
    await Promise.race([work, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
