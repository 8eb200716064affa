// When rows became visible to others, which no column of theirs tells: `now()` is the start of their transaction.
import type { Client } from 'pg';
import { z } from 'zod';

const lookMs = 10;
/** Looking for the end reads a table, so it is done less often. */
const looksForEnd = 10;
const limitMs = 60_000;

/** A snapshot of the database that was taken at this moment of the database's clock, or just before. */
const sightingSchema = z.object({ snapshot: z.string(), atMs: z.number() });
export type Sighting = z.infer<typeof sightingSchema>;

/**
 * Notes every few milliseconds which transactions are visible, until `isOver`, and once more then, so that whatever
 * `isOver` saw has a sighting. The transaction of a row was committed no later than the first sighting that has it,
 * whenever this process came to ask for it.
 */
export async function watchCommits(client: Client, isOver: () => Promise<boolean>): Promise<Sighting[]> {
  const sightings: Sighting[] = [];
  const startedAt = performance.now();
  for (let count = 1; ; count += 1) {
    sightings.push(await look(client));
    if (count % looksForEnd === 0 && (await isOver())) return [...sightings, await look(client)];
    if (performance.now() - startedAt > limitMs) throw new Error(`not over after ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

async function look(client: Client): Promise<Sighting> {
  const { rows } = await client.query(
    `select pg_current_snapshot()::text as snapshot,
       extract(epoch from clock_timestamp())::float8 * 1000 as "atMs"`,
  );
  return sightingSchema.parse(rows[0]);
}

/** A row without a sighting is refused. */
const visibilitySchema = z.object({ scheduledAtMs: z.number(), visibleAtMs: z.number() });
export type Visibility = z.infer<typeof visibilitySchema>;

/** For every run its nominal time, and when it was first seen. */
export async function readVisibility(client: Client, sightings: Sighting[]): Promise<Visibility[]> {
  const { rows } = await client.query(
    `with sighting as (select * from unnest($1::pg_snapshot[], $2::float8[]) as sighting (snapshot, at_ms)),
     -- One look-up a transaction, not one a row.
     written as materialized (
       select xid, (
         select min(at_ms) from sighting where pg_visible_in_snapshot(xid::xid8, snapshot)) as visible_at_ms
       from (select distinct xmin::text as xid from probe_run) transaction)
     select extract(epoch from scheduled_at)::float8 * 1000 as "scheduledAtMs", visible_at_ms as "visibleAtMs"
     from probe_run join written on xid = probe_run.xmin::text`,
    [sightings.map(({ snapshot }) => snapshot), sightings.map(({ atMs }) => atMs)],
  );
  return z.array(visibilitySchema).parse(rows);
}
