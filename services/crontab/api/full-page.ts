// One page of a long list: so many rows, fewer where their texts fill a reply, and where the next page starts.
import { type Kysely, type RawBuilder, sql } from 'kysely';
import type { z } from 'zod';
import { invalidRequest } from '../../../contracts/errors.ts';
import type { Tables } from '../../../infra/database/tables.ts';

/** Octets of long texts in one page; a single row may have more. */
const maxPageOctets = 4 * 1024 * 1024;

/** `hasMore`: rows follow after the last one of these. */
export type Page<Row> = { rows: Row[]; hasMore: boolean };

/**
 * `select` finds up to `limit` + 1 rows, in the order of `order`; `octets` is the length of the texts of one. What does
 * not fit is not even read from where Postgres keeps long texts.
 */
export async function readPage<Row extends object>(
  db: Kysely<Tables>,
  query: { select: RawBuilder<Row>; order: RawBuilder<unknown>; octets: RawBuilder<unknown>; limit: number },
): Promise<Page<Row>> {
  const { select, order, octets, limit } = query;
  const { rows } = await sql<Row & { found: number }>`
    select * from (
      select page.*, count(*) over ()::integer as found,
        sum(${octets}) over (order by ${order} rows unbounded preceding) - ${octets} as octets_before
      from (${select}) page
    ) page
    where octets_before < ${maxPageOctets}
    order by ${order}`.execute(db);
  const kept = rows.slice(0, limit);
  return { rows: kept, hasMore: (rows[0]?.found ?? 0) > kept.length };
}

/** Shorter than a connection may be held: when that is cut, its statement goes on. */
const statementLimitMs = 6000;

/** For the rest of the transaction the server ends statements that take too long. */
export const limitStatements = sql`select set_config('statement_timeout', ${String(statementLimitMs)}, true)`;

/** A position in the order of a list as one opaque text. */
export function encodeCursor(position: unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** Undefined without a cursor; throws `INVALID_REQUEST` for one that no reply gave. */
export function decodeCursor<Position>(
  cursor: string | null | undefined,
  schema: z.ZodType<Position>,
): Position | undefined {
  if (cursor == null) return undefined;
  const position = schema.safeParse(readJson(Buffer.from(cursor, 'base64url').toString()));
  if (position.success) return position.data;
  throw invalidRequest([{ path: 'cursor', reason: 'expected a cursor as a reply gave it' }]);
}

/** Undefined for what is no JSON: no position is that. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
