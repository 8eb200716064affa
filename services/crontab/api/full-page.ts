// One page of a long list: so many rows, fewer where their texts fill a reply, and where the next page starts.
import { type Kysely, type RawBuilder, sql } from 'kysely';
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
