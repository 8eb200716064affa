// Holders of runs on a real Postgres for the tests of the loop, and what they hold.
import { randomUUID } from 'node:crypto';
import { type RawBuilder, sql } from 'kysely';
import { afterEach, beforeEach } from 'vitest';
import {
  createLeaseHolder,
  type HeldWork,
  type HolderLimits,
  type LeaseHolder,
  type LeaseWork,
} from '../../../infra/database/lease-holder.ts';
import { type Claim, claim, finish, release, renew } from '../../../infra/database/lease-table.ts';
import { useRecurringTables } from '../../helpers/recurring-tables.ts';
import { until } from '../../helpers/test-client.ts';

export type Item = { claim: Claim };
/** When nothing was claimed, there is one row without a claim. */
type ClaimRow = { next_due_ms: number | null } & (Claim | { id: null; attempt: null });

const leaseMs = 30_000;
/** As long as no test waits for it. */
const never = 3_600_000;
const quick: HolderLimits = {
  pollMs: never,
  claimPaceMs: 5,
  renewMs: never,
  gatherMs: 5,
  storeRetryMs: 20,
  settleLimitMs: 1000,
  stopLimitMs: 10_000,
};

/** The least that can hold rows: they are done when the test says so. */
export function createHeld(options: { maxHeld?: number } = {}) {
  const { maxHeld = 100 } = options;
  const held = new Map<string, Claim>();
  const done = new Set<string>();
  const taken: { id: string; sentAtMs: number }[] = [];
  const putOff: string[] = [];
  const renewals: { kept: string[]; lost: string[]; sentAtMs: number }[] = [];
  let settling = Promise.resolve();
  const idsOfClaims = (claims: Claim[]) => claims.map(({ id }) => id);
  const work: HeldWork<Item, Item> = {
    take(item, sentAtMs) {
      held.set(item.claim.id, item.claim);
      taken.push({ id: item.claim.id, sentAtMs });
    },
    claims: () => [...held.values()],
    done: () =>
      [...held.values()].flatMap((each) =>
        done.has(each.id) && !putOff.includes(each.id) ? [{ claim: each }] : [],
      ),
    putOff: ({ id }) => void putOff.push(id),
    drop(claims) {
      for (const { id } of claims) held.delete(id);
    },
    settle: () => settling,
    countBounds: () => (held.size >= maxHeld ? 1 : 0),
    renewed: ({ kept, lost, sentAtMs }) =>
      void renewals.push({ kept: idsOfClaims(kept), lost: idsOfClaims(lost), sentAtMs }),
  };
  return {
    ...{ work, taken, putOff, renewals },
    room: () => maxHeld - held.size,
    heldIds: () => [...held.keys()],
    finish(...ids: string[]) {
      for (const id of ids) done.add(id);
    },
    settleWith(promise: Promise<void>) {
      settling = promise;
    },
  };
}

export type TestHeld = ReturnType<typeof createHeld>;

/** Resolves when so many rows were taken. */
export function hasTaken(held: TestHeld, count: number): Promise<void> {
  return until(async () => held.taken.length >= count);
}

export type RunRow = { id: string; state: number; lapses: number; attempt: number; lease_until: Date | null };

/** For a file of tests; the holders are stopped after each. */
export function useHolders() {
  const tables = useRecurringTables();
  let holders: LeaseHolder[];
  beforeEach(() => {
    holders = [];
  });
  afterEach(async () => {
    for (const holder of holders) await holder.stop();
  });

  async function idsOf(statement: RawBuilder<unknown>): Promise<string[]> {
    const rows = await tables.query(
      sql<{ id: string }>`with changed as (${statement}) select id from changed`,
    );
    return rows.map(({ id }) => id);
  }

  /** The rows as a holder uses them; what a test replaces of it is asked instead. */
  function createWork(replaced: Partial<LeaseWork<Item, Item>> = {}): LeaseWork<Item, Item> {
    const claimant = randomUUID();
    return {
      async claim(limit) {
        // One statement, so that what is not due yet for the one part is still to come for the other.
        const rows = await tables.query(sql<ClaimRow>`
          with claimed as (${claim('probe_run', { limit, leaseMs, claimant })})
          select id, attempt, next_due_ms
          from (
            select (extract(epoch from min(due_at) - now()) * 1000)::float8 as next_due_ms
            from probe_run where state = 0 and due_at > now()
          ) next
          left join claimed on true`);
        return {
          items: rows.flatMap(({ id, attempt }) => (id === null ? [] : [{ claim: { id, attempt } }])),
          nextDueMs: rows[0]?.next_due_ms ?? undefined,
        };
      },
      renew: (claims) => idsOf(renew('probe_run', claims, leaseMs)),
      async release(claims) {
        await idsOf(release('probe_run', claims));
      },
      async finish(done) {
        await idsOf(
          finish(
            'probe_run',
            done.map((each) => each.claim),
          ),
        );
      },
      ...replaced,
    };
  }

  function hold(
    held: TestHeld,
    options: { work?: Partial<LeaseWork<Item, Item>>; limits?: Partial<HolderLimits> } = {},
  ): LeaseHolder {
    const holder = createLeaseHolder({
      noun: 'run',
      work: createWork(options.work),
      held: held.work,
      planClaim: held.room,
      limits: { ...quick, ...options.limits },
      logger: tables.logger,
    });
    holders.push(holder);
    return holder;
  }

  async function addRuns(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) ids.push(await tables.addRun());
    return ids;
  }

  async function readRuns(): Promise<RunRow[]> {
    return tables.query(sql`select id, state, lapses, attempt, lease_until from probe_run order by id`);
  }

  return {
    ...{ tables, createWork, hold, addRuns, readRuns },
    noRunLeft: () => until(async () => (await readRuns()).length === 0),
  };
}
