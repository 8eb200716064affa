// Tells whether it is the data of a statement that a database refuses, which no later try will change.
import { DatabaseError } from 'pg';

/** SQLSTATE classes: data exception, integrity constraint, limit of the program. */
const dataClasses = /^(22|23|54)/;
const checkViolation = '23514';

/**
 * True for a value or a row that the database will never take. Not for a row that found no way into its partition,
 * because that came or went at the same time: a check violation too, but of no constraint that has a name.
 */
export function isDataFault(error: unknown): boolean {
  if (!(error instanceof DatabaseError) || error.code === undefined) return false;
  if (error.code === checkViolation) return error.constraint !== undefined;
  return dataClasses.test(error.code);
}
