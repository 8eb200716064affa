// How one query's time budget is split between its tries.

/** Share of the budget after which an unanswered first try is followed by the second. */
const firstTryShare = 0.4;
/** A first try waits no longer than this: a reply later than 5 s is rarer than a lost packet. */
const firstTryMaxMs = 5_000;
/** Below this budget a second try would only double the load. */
const singleTryBudgetMs = 20;

/**
 * How long to wait on each try of a query, in milliseconds, for a budget of `budgetMs`: 40% of it (at most 5 s)
 * on the first, the rest on the second; a budget of at most 20 ms is one try, none at all when nothing is left.
 * The waits add up to the budget. 3,000 ms gives 1,200 and 1,800.
 *
 * The first try is listened to until the end, so an early second try loses no slow reply.
 */
export function planTries(budgetMs: number): readonly number[] {
  if (!(budgetMs > 0)) return [];
  if (budgetMs <= singleTryBudgetMs) return [budgetMs];
  const firstMs = Math.min(budgetMs * firstTryShare, firstTryMaxMs);
  return [firstMs, budgetMs - firstMs];
}
