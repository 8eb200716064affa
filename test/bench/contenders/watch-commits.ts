// When rows became visible to others, which no column of theirs tells: `now()` is the start of their transaction.
import type { Client } from 'pg';

const lookMs = 10;
/** Looking for the end reads a table, so it is done less often. */
const looksForEnd = 10;
const limitMs = 60_000;

/** A snapshot of the database that was taken at this moment of the database's clock, or just before. */
export type Sighting = { snapshot: string; atMs: number };

/**
 * Notes every few milliseconds which transactions are visible, until `isOver`. The transaction of a row was committed no
 * later than the first sighting that has it, whenever this process came to ask for it.
 */
export async function watchCommits(client: Client, isOver: () => Promise<boolean>): Promise<Sighting[]> {
  const sightings: Sighting[] = [];
  const startedAt = performance.now();
  for (let look = 1; ; look += 1) {
    const { rows } = await client.query<Sighting>(
      `select pg_current_snapshot()::text as snapshot, extract(epoch from clock_timestamp())::float8 * 1000 as "atMs"`,
    );
    const [sighting] = rows;
    if (sighting !== undefined) sightings.push(sighting);
    if (look % looksForEnd === 0 && (await isOver())) return sightings;
    if (performance.now() - startedAt > limitMs) throw new Error(`not over after ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}

export type Visibility = { scheduledAtMs: number; visibleAtMs: number };

/** For every run its nominal time, and when it was first seen. */
export async function readVisibility(client: Client, sightings: Sighting[]): Promise<Visibility[]> {
  const { rows } = await client.query<Visibility>(
    `with sighting as (select * from unnest($1::pg_snapshot[], $2::float8[]) as sighting (snapshot, at_ms)),
     written as (
       select xid, (
         select min(at_ms) from sighting where pg_visible_in_snapshot(xid::xid8, snapshot)) as visible_at_ms
       from (select distinct xmin::text as xid from probe_run) transaction)
     select extract(epoch from scheduled_at)::float8 * 1000 as "scheduledAtMs", visible_at_ms as "visibleAtMs"
     from probe_run join written on xid = probe_run.xmin::text`,
    [sightings.map(({ snapshot }) => snapshot), sightings.map(({ atMs }) => atMs)],
  );
  return rows;
}
