// Transactions that others got in the way of are done once more.
import type { Transaction } from 'kysely';
import { DatabaseError } from 'pg';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import type { Database } from '../../../infra/database/database.ts';
import type { Tables } from '../../../infra/database/tables.ts';

/** unique_violation of a name that was free a moment ago, serialization_failure, deadlock_detected. */
const overtakenStates = new Set(['23505', '40001', '40P01']);
const maxTries = 5;

class OvertakenError extends Error {
  override readonly name = 'OvertakenError';
}

/** Does the work in a transaction, up to five times while others are in its way; then throws `UNAVAILABLE`. */
export async function transactAgain<Result>(
  database: Database,
  work: (db: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  for (let tries = 0; tries < maxTries; tries += 1) {
    try {
      return await database.transact((db) => work(db).catch(markOvertaken));
    } catch (error) {
      if (!(error instanceof OvertakenError)) throw error;
    }
  }
  throw new ProbeTaskError('UNAVAILABLE', 'other requests are changing the same tasks');
}

/** Inside of the transaction: what it throws at its end no longer tells what the database said. */
function markOvertaken(error: unknown): never {
  if (error instanceof DatabaseError && overtakenStates.has(error.code ?? '')) {
    throw new OvertakenError(error.message, { cause: error });
  }
  throw error;
}
