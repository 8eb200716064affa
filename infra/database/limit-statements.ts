// Bounds what a query for a page of a long list may cost the database.
import { sql, type Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** Shorter than a piece of work may take: a connection that is cut off leaves its statement running on the server. */
const statementLimitMs = 6000;

/** Ways to an answer that grow with the table, or with all that a filter lets through, instead of with the page. */
const longPlans = ['enable_seqscan', 'enable_bitmapscan', 'enable_sort'] as const;

/**
 * For the rest of the transaction the server ends statements that take too long, and goes none of these ways, all of them
 * unless told otherwise, if there are others: partitions of today are larger than their statistics say, and to a planner
 * that takes one for small, reading all of it looks cheap.
 */
export async function limitStatements(
  db: Transaction<Tables>,
  barredPlans: readonly (typeof longPlans)[number][] = longPlans,
): Promise<void> {
  const settings = [
    ['statement_timeout', String(statementLimitMs)],
    ...barredPlans.map((name) => [name, 'off']),
  ].map(([name, value]) => sql`set_config(${name}, ${value}, true)`);
  await sql`select ${sql.join(settings)}`.execute(db);
}
