// Claim, lease, fence: how processes share the rows of a work table so that nothing is lost and nothing done twice.
//
//   ready ──claim──▶ leased ──finish──▶ (deleted)
//     ▲                │ renew: the lease lasts longer
//     ├──release───────┤ given back unharmed
//     ├──postpone──────┤ worked on, and due once more later
//     └──reap──────────┘ the lease ran out: a lapse; after too many of them, or when it is too late, bury deletes
//
// `attempt` is the fencing token: it grows with every claim, and renew, release, postpone and finish touch a row only
// with the token of its newest claim. A holder that was too slow finds its rows gone, whatever its clock says: leases live
// by the clock of the database. A late finish, or postponement, of a row that was reaped and not claimed again is welcome.
//
// What is exported makes parts of SQL statements, so that a service can finish rows and store what came of them in one.
// A work table has these columns: id, state (0 ready, 1 leased), attempt, lapses, due_at, expires_at, lease_until,
// claimed_by; lease_until is null while it is ready. And partial indexes: on the column of `where`, if any, and due_at
// where state = 0, on expires_at where lease_until is null, on lease_until where state = 1. A statement says "ready" or
// "leased" in the words of the index that it is to use, and never of another one: statistics of such a table are no guide
// for the planner.
import { type RawBuilder, sql } from 'kysely';
import type { LeaseColumns, Tables } from './tables.ts';

/** The tables that work this way. */
export type LeaseTable = {
  [Name in keyof Tables]: Tables[Name] extends LeaseColumns ? Name : never;
}[keyof Tables];

/** What a holder shows to be the holder. */
export type Claim = { id: string; attempt: number };

/** Leases that may run out before a row is given up. */
export const maxLapses = 3;
/** What a holder has after that to come back: a few of its attempts to reach the database. */
const graceMs = 10_000;

/**
 * Leases up to `limit` rows that are due, or will be within `aheadMs`, and not too late, the longest due first, and
 * returns them whole. `where` narrows the choice: what few rows satisfy has to lead the index of ready rows.
 */
export function claim(
  table: LeaseTable,
  options: {
    where?: RawBuilder<boolean>;
    limit: number;
    aheadMs?: number;
    leaseMs: number;
    claimant: string;
  },
): RawBuilder<unknown> {
  const { where, limit, aheadMs = 0, leaseMs, claimant } = options;
  const isChosen = where === undefined ? sql`` : sql`and ${where}`;
  const dueUntil = aheadMs === 0 ? sql`now()` : fromNow(aheadMs);
  return sql`
    update ${sql.table(table)} work
    set state = 1, attempt = work.attempt + 1, claimed_by = ${claimant}::uuid, lease_until = ${fromNow(leaseMs)}
    -- "= any (array(…))": the rows are chosen once; as a join the planner may choose them again and again.
    -- "(select …)": a limit that the planner does not know beforehand. It reads the index in its order then; by statistics
    -- of a shorter queue it would rather read and sort all that is ready: 64 instead of 14 ms of a queue of 100,000.
    where work.id = any (array(
      select id from ${sql.table(table)}
      where state = 0 ${isChosen} and due_at <= ${dueUntil} and expires_at > now()
      order by due_at limit (select ${limit}::integer)
      for update skip locked))
    returning work.*`;
}

/** Makes the leases of these rows last longer; returns the ids of those that are still the holder's. */
export function renew(table: LeaseTable, claims: Claim[], leaseMs: number): RawBuilder<{ id: string }> {
  return sql`
    update ${sql.table(table)} work set lease_until = ${fromNow(leaseMs)}
    where ${isHeld(claims)} and ${isLeased} returning work.id`;
}

/**
 * Says of rows that they are not to be done once more: when their lease runs out they are buried at once. Returns the
 * claims that are still the holder's.
 */
export function spendLapses(table: LeaseTable, claims: Claim[]): RawBuilder<Claim> {
  return sql`
    update ${sql.table(table)} work set lapses = ${maxLapses - 1}
    where ${isHeld(claims)} and ${isLeased} returning work.id, work.attempt`;
}

/** Gives rows back: ready for the next claim, no lapse counted. */
export function release(table: LeaseTable, claims: Claim[]): RawBuilder<unknown> {
  return sql`
    update ${sql.table(table)} work set state = 0, claimed_by = null, lease_until = null
    where ${isHeld(claims)} and ${isLeased} returning work.id`;
}

/** A row that is to be done again, so much later than now. */
export type Postponement = { claim: Claim; delayMs: number };

/**
 * Gives rows back that are to be done again later: ready, due after their delay, no lapses any more, and with as much time
 * until they are too late as they had from when they were due. `set` changes further columns; what it reads of `work` is
 * what was there. Returns the rows whole as they are then: only those whose newest claim this is.
 */
export function postpone(
  table: LeaseTable,
  postponements: Postponement[],
  set?: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const delays = JSON.stringify(
    Object.fromEntries(postponements.map(({ claim: { id }, delayMs }) => [id, delayMs])),
  );
  // Looked up, not joined: the rows are sought by their keys alone, whatever the planner makes of the list.
  const dueAt = sql<Date>`now() + (${delays}::jsonb ->> work.id::text)::float8 * interval '1 ms'`;
  // In seconds: a day that is added may have 23 or 25 hours.
  const term = sql`extract(epoch from work.expires_at - work.due_at)::float8 * interval '1 s'`;
  const further = set === undefined ? sql`` : sql`, ${set}`;
  return sql`
    update ${sql.table(table)} work
    set state = 0, claimed_by = null, lease_until = null, lapses = 0,
      due_at = ${dueAt}, expires_at = ${dueAt} + ${term}${further}
    where ${isHeld(postponements.map((each) => each.claim))} returning work.*`;
}

/** Deletes rows that are done and returns them whole: only those whose newest claim this is. */
export function finish(table: LeaseTable, claims: Claim[]): RawBuilder<unknown> {
  return sql`delete from ${sql.table(table)} work where ${isHeld(claims)} returning work.*`;
}

/**
 * Makes rows ready again whose lease ran out; returns their ids. What lapsed too often is left to `bury`. A holder may
 * have a row done, and not have reached the database for so long: what is too late by now has a little time left all the
 * same, and nothing is due again before `delayMs`, where it must not be done twice for that.
 */
export function reap(
  table: LeaseTable,
  limit: number,
  { delayMs = 0 }: { delayMs?: number } = {},
): RawBuilder<{ id: string }> {
  const dueLater = delayMs === 0 ? sql`` : sql`due_at = greatest(work.due_at, ${fromNow(delayMs)}),`;
  return sql`
    update ${sql.table(table)} work
    set state = 0, claimed_by = null, lease_until = null, lapses = work.lapses + 1, ${dueLater}
      expires_at = greatest(work.expires_at, ${fromNow(delayMs + graceMs)})
    where work.id = any (
      array(select id from (${lapsed(table, limit)}) lapsed where lapses < ${maxLapses - 1}))
    returning work.id`;
}

/** Deletes what is too late to be worth doing or lapsed too often, and returns it whole; `state` tells which it was. */
export function bury(table: LeaseTable, limit: number): RawBuilder<unknown> {
  return sql`
    delete from ${sql.table(table)} work where work.id = any (${deadIds(table, limit)}) returning work.*`;
}

/** What `bury` would delete. */
export function listDead(table: LeaseTable, limit: number): RawBuilder<{ id: string }> {
  return sql`select unnest(${deadIds(table, limit)}) as id`;
}

/** As `bury`, of these rows only; one that came to life meanwhile is left alone. */
export function buryThese(table: LeaseTable, ids: string[]): RawBuilder<unknown> {
  return sql`
    delete from ${sql.table(table)} work
    where work.id = any (${ids}::bigint[])
      and (work.lease_until is null and work.expires_at <= now()
        or work.lease_until < now() and work.lapses >= ${maxLapses - 1})
    returning work.*`;
}

function deadIds(table: LeaseTable, limit: number): RawBuilder<string[]> {
  return sql`
    array(
      select id from ${sql.table(table)}
      where lease_until is null and expires_at <= now()
      order by expires_at limit ${limit}
      for update skip locked)
    || array(select id from (${lapsed(table, limit)}) lapsed where lapses >= ${maxLapses - 1})`;
}

/**
 * What `reap` and `bury` share among them, so that neither looks through the rows of the other: each is followed by the
 * other until there is nothing left.
 */
function lapsed(table: LeaseTable, limit: number): RawBuilder<unknown> {
  return sql`
    select id, lapses from ${sql.table(table)}
    where state = 1 and lease_until < now()
    order by lease_until limit ${limit}
    for update skip locked`;
}

function fromNow(ms: number): RawBuilder<Date> {
  return sql`now() + ${ms}::float8 * interval '1 ms'`;
}

/** Not `state = 1`, or the planner may read the index of all that is leased for the sake of a few keys. */
const isLeased = sql<boolean>`work.lease_until is not null`;

/** By id through the primary key, then by id and token: both are looked up in a hash. */
function isHeld(claims: Claim[]): RawBuilder<boolean> {
  const ids = claims.map(({ id }) => id);
  const tokens = claims.map(({ id, attempt }) => `${id}:${attempt}`);
  return sql`work.id = any (${ids}::bigint[]) and (work.id || ':' || work.attempt) = any (${tokens}::text[])`;
}
