// The loop of a process that works on the rows of a work table: claim → hold → store, with leases that are kept meanwhile.
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { Component } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import { createRepetition } from '../repeat.ts';
import { waitAtMost } from '../wait-at-most.ts';
import { isDataFault } from './data-fault.ts';
import type { Claim } from './lease-table.ts';

/** What the holder asks of the database, each as one statement (lease-table.ts). */
export type LeaseWork<Item extends { claim: Claim }, Done extends { claim: Claim }> = {
  /** Up to `limit` rows; `nextDueMs` is when there will be another one to claim, undefined when none is known. */
  claim(limit: number): Promise<{ items: Item[]; nextDueMs: number | undefined }>;
  /** Resolves with the ids of those that are still the holder's. */
  renew(claims: Claim[]): Promise<string[]>;
  release(claims: Claim[]): Promise<void>;
  /** Stores what came of rows, for those whose newest claim this is. Doing it twice changes nothing. */
  finish(done: Done[]): Promise<void>;
};

/** The rows that are held, and what is done with them. */
export type HeldWork<Item extends { claim: Claim }, Done extends { claim: Claim }> = {
  /**
   * Takes over a row that was claimed: one that is held already where its lease ran out and it was claimed once more. Its
   * lease counts from `sentAtMs` (`performance.now()`) on, if not from later.
   */
  take(item: Item, sentAtMs: number): void;
  /** Of all rows that are held. At a stop, after `settle`, those that are handed back to others. */
  claims(): Claim[];
  /** A batch that is ready to be stored, the oldest first, without what is put off. */
  done(): Done[];
  /** Cannot be stored for now: moves it behind the others, and leaves it there for a while, longer each time. */
  putOff(claim: Claim): void;
  /** Lets go of these rows, except those that were claimed once more since. */
  drop(claims: Claim[]): void;
  /** A stop began: resolves when nothing is being worked on any more, or after this time. */
  settle(limitMs: number): Promise<void>;
  /** How many bounds are reached that keep something from being claimed; where that falls, there may be something. */
  countBounds?(): number;
  /** Leases of `kept` count from `sentAtMs` on; `lost` are others' by now, or finished. */
  renewed?(renewal: { kept: Claim[]; lost: Claim[]; sentAtMs: number }): void;
};

export type HolderLimits = {
  /** Rows are looked for this often without being told of any. */
  pollMs: number;
  /** Rows that become due one after the other are claimed together, however often somebody tells of one. */
  claimPaceMs: number;
  /** A third of a lease. */
  renewMs: number;
  /** What is done waits this long for company on its way into the database. */
  gatherMs: number;
  /** After the database could not be reached. */
  storeRetryMs: number;
  /** At a stop: longest wait for what is worked on, and for all of it; whoever stops the database waits for what is left. */
  settleLimitMs: number;
  stopLimitMs: number;
};

export type LeaseHolder = Component & {
  /** Looks for rows at once, or as soon as the pace allows. */
  wake(): void;
  /** Something is done. */
  storeSoon(): void;
};

/**
 * Claims rows as long as it runs, as many as `planClaim` says (0: no room), and stores what came of them. While the
 * database is away it goes on with what is held, and stores it when the database is back. `stop` claims nothing more,
 * lets what is worked on settle, stores what is there and hands back the rest, within its limits.
 */
export function createLeaseHolder<Item extends { claim: Claim }, Done extends { claim: Claim }>(options: {
  /** What the log calls one row, such as `run`. */
  noun: string;
  work: LeaseWork<Item, Done>;
  held: HeldWork<Item, Done>;
  planClaim: () => number;
  limits: HolderLimits;
  logger: Logger;
}): LeaseHolder {
  const { noun, work, held, planClaim, limits, logger } = options;
  const { claimPaceMs, stopLimitMs } = limits;
  const plural = `${noun}s`;
  let isClaiming = false;
  let isClaimWanted = false;
  let claimEndedAt = -Infinity;
  let stopping: Promise<void> | undefined;

  const claiming = createRepetition({
    name: `claiming ${plural}`,
    intervalMs: limits.pollMs,
    logger,
    async work() {
      const limit = planClaim();
      if (limit === 0) return { hasMore: false };
      isClaiming = true;
      try {
        return { hasMore: (await claim(limit)) === limit };
      } finally {
        isClaiming = false;
        claimEndedAt = performance.now();
        if (isClaimWanted) claiming.hurry(claimPaceMs);
        isClaimWanted = false;
      }
    },
  });

  function claimSoon(): void {
    if (isClaiming) isClaimWanted = true;
    else claiming.hurry(Math.max(claimEndedAt + claimPaceMs - performance.now(), 0));
  }

  async function claim(limit: number): Promise<number> {
    const sentAtMs = performance.now();
    const { items, nextDueMs } = await work.claim(limit);
    if (stopping !== undefined) {
      if (items.length > 0) await work.release(items.map((item) => item.claim));
      logger.info({ [plural]: items.length }, `${plural} handed back that were claimed during the stop`);
      return 0;
    }
    for (const item of items) held.take(item, sentAtMs);
    if (nextDueMs !== undefined) claiming.hurry(Math.max(nextDueMs, claimPaceMs));
    return items.length;
  }

  const renewal = createRepetition({
    name: 'renewing leases',
    intervalMs: limits.renewMs,
    logger,
    async work() {
      const claims = held.claims();
      if (claims.length === 0) return { hasMore: false };
      const sentAtMs = performance.now();
      const ids = new Set(await work.renew(claims));
      const { kept = [], lost = [] } = Object.groupBy(claims, ({ id }) => (ids.has(id) ? 'kept' : 'lost'));
      // Whoever does not ask finds out when it is stored.
      held.renewed?.({ kept, lost, sentAtMs });
      return { hasMore: false };
    },
  });

  const storing = createRepetition({
    name: 'storing results',
    intervalMs: limits.storeRetryMs,
    logger,
    work: storeDone,
  });

  async function storeDone(): Promise<{ hasMore: boolean }> {
    const done = held.done();
    if (done.length === 0) return { hasMore: false };
    await storeTogether(done);
    return { hasMore: true };
  }

  /**
   * One row must not hold up the others: what the database will never take is dropped, what it does not take for another
   * reason goes behind all others.
   */
  async function storeTogether(done: Done[]): Promise<void> {
    try {
      await work.finish(done);
    } catch (error) {
      if (error instanceof ProbeTaskError) throw error;
      if (done.length > 1) {
        for (const each of done) await storeTogether([each]);
        return;
      }
      const [each] = done;
      if (each !== undefined && !isDataFault(error)) {
        held.putOff(each.claim);
        throw new Error(`the results of ${noun} ${each.claim.id} are kept for later`, { cause: error });
      }
      logger.error({ err: error, [noun]: each?.claim.id }, `the results of a ${noun} cannot be stored`);
    }
    letGo(done.map((each) => each.claim));
  }

  function letGo(claims: Claim[]): void {
    const before = countBounds();
    held.drop(claims);
    if (countBounds() < before) claimSoon();
  }

  function countBounds(): number {
    return held.countBounds?.() ?? 0;
  }

  /** A claim under way gives back what it gets, at the same time as the rest is settled. */
  async function handOver(): Promise<void> {
    const endAt = performance.now() + stopLimitMs;
    const claimingEnded = claiming.stop();
    await held.settle(limits.settleLimitMs);
    const renewalEnded = renewal.stop();
    await storing.stop();
    try {
      while (performance.now() < endAt && (await storeDone()).hasMore);
    } catch (error) {
      logger.warn({ err: error }, 'results could not be stored');
    }
    const rest = held.claims();
    try {
      if (performance.now() >= endAt) throw new ProbeTaskError('UNAVAILABLE', 'the database took too long');
      if (rest.length > 0) await work.release(rest);
      logger.info({ [plural]: rest.length }, `${plural} handed back`);
    } catch (error) {
      // Their leases run out; what was done is done again.
      logger.warn({ err: error, [plural]: rest.length }, `${plural} could not be handed back`);
    }
    await Promise.all([claimingEnded, renewalEnded]);
  }

  return {
    wake: claimSoon,
    storeSoon: () => storing.hurry(limits.gatherMs),
    async start() {
      for (const repetition of [claiming, renewal, storing]) await repetition.start();
    },
    stop() {
      stopping ??= waitAtMost(handOver(), stopLimitMs);
      return stopping;
    },
  };
}
