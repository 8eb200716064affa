// Values as statements with many rows take them: one array for each column.
import { type RawBuilder, sql } from 'kysely';

/** The year 10,000. */
const maxTimeMs = Date.UTC(10_000);

/**
 * Milliseconds since the epoch as a time: cheaper than a text to write and to read. As seconds in a float8 they are exact
 * until the year 2242, and off by less than a millisecond later.
 */
export function fromMs(expression: string): RawBuilder<Date> {
  return sql`to_timestamp((${sql.raw(expression)}) / 1000)`;
}

/** An array of Postgres. pg would make one too, and escape each number like a text. */
export function formatNumbers(values: readonly (number | string | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`;
}

/** As `formatNumbers`, of times in milliseconds; what Postgres has no time for is infinity. */
export function formatTimes(values: readonly (number | null)[]): string {
  return formatNumbers(values.map((value) => (value !== null && value >= maxTimeMs ? Infinity : value)));
}
