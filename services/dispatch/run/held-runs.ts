// The runs that a replica holds: each is played, and keeps its verdict until that is stored.
import type { HeldWork } from '../../../infra/database/lease-holder.ts';
import type { Claim } from '../../../infra/database/lease-table.ts';
import type { Logger } from '../../../infra/logger.ts';
import { waitAtMost } from '../../../infra/wait-at-most.ts';
import { type CutCause, playRun, type RunPlayer } from './play-run.ts';
import { type ClaimedRun, type FinishedRun, leaseMs } from './run-store.ts';

/** A play is cut when its lease has less left than this: by the time it is another's, nothing of it goes on here. */
const leaseMarginMs = 5000;
/** What cannot be stored for now is tried again after this time, and after twice the last time from then on. */
const firstPutOffMs = 1000;
const maxPutOffMs = 30_000;

type HeldRun = {
  claim: Claim;
  cut: AbortController;
  leaseTimer: NodeJS.Timeout;
  finished: FinishedRun | undefined;
  putOffMs: number;
  storeAt: number;
  /** Settles when nothing of it goes on here any more. */
  over: Promise<void>;
};

export type HeldRuns = HeldWork<ClaimedRun, FinishedRun> & {
  count(): number;
  /** Ids of the runs that are being played. */
  playing(): string[];
  /** Somebody wants them stopped. */
  stop(ids: readonly string[]): void;
};

/** `onFinished` is called when a run has its verdict. */
export function createHeldRuns(
  options: RunPlayer & { onFinished: (run: FinishedRun) => void; logger: Logger },
): HeldRuns {
  const { onFinished, logger } = options;
  const held = new Map<string, HeldRun>();
  const playing = new Set<Promise<void>>();
  const givingUp = new AbortController();

  function watchLease(run: Pick<HeldRun, 'claim' | 'cut'>, sentAtMs: number): NodeJS.Timeout {
    const leftMs = sentAtMs + leaseMs - leaseMarginMs - performance.now();
    return setTimeout(() => {
      logger.warn({ run: run.claim.id }, 'the lease of a run could not be kept: it is cut');
      cutShort(run, 'lost');
    }, leftMs);
  }

  function cutShort({ cut }: Pick<HeldRun, 'cut'>, cause: CutCause): void {
    if (!cut.signal.aborted || cause === 'lost') cut.abort(cause);
  }

  function lose(run: Pick<HeldRun, 'claim' | 'cut'>): void {
    logger.warn({ run: run.claim.id }, 'a run is another’s by now: it is cut');
    cutShort(run, 'lost');
  }

  async function play(run: ClaimedRun, mine: HeldRun): Promise<void> {
    try {
      const verdict = await playRun(run, options, {
        signal: mine.cut.signal,
        giveUp: givingUp.signal,
        lose: () => lose(mine),
      });
      if (verdict === undefined) return;
      mine.finished = { claim: mine.claim, verdict };
      onFinished(mine.finished);
    } catch (error) {
      // Its lease runs out, and what it left is cleaned up then.
      logger.error({ err: error, run: run.taskId }, 'a run could not be played');
    } finally {
      if (mine.finished === undefined && !givingUp.signal.aborted) drop(mine.claim);
    }
  }

  function find({ id, attempt }: Claim): HeldRun | undefined {
    const run = held.get(id);
    return run?.claim.attempt === attempt ? run : undefined;
  }

  function drop(claim: Claim): void {
    const run = find(claim);
    if (run === undefined) return;
    clearTimeout(run.leaseTimer);
    held.delete(claim.id);
  }

  return {
    take(run, sentAtMs) {
      // Its lease ran out here and it was claimed once more: the play of then is cut, and must not end this claim. If it had
      // its end, though, that is what became of the run: it waits for the database, and is stored under the new claim.
      const known = held.get(run.claim.id);
      if (known !== undefined) {
        cutShort(known, 'lost');
        drop(known.claim);
      }
      const cut = new AbortController();
      const mine: HeldRun = {
        claim: run.claim,
        cut,
        leaseTimer: watchLease({ claim: run.claim, cut }, sentAtMs),
        finished: known?.finished && { ...known.finished, claim: run.claim },
        putOffMs: 0,
        storeAt: 0,
        over: Promise.resolve(),
      };
      held.set(run.claim.id, mine);
      if (mine.finished !== undefined) return;
      // What is left on the nodes is looked for when nothing here can add to it any more.
      const work = (known?.over ?? mine.over).then(() => play(run, mine)).finally(() => playing.delete(work));
      mine.over = work;
      playing.add(work);
    },
    claims: () => [...held.values()].map(({ claim }) => claim),
    count: () => held.size,
    playing: () =>
      [...held.values()].flatMap(({ claim, finished }) => (finished === undefined ? [claim.id] : [])),
    done() {
      const now = performance.now();
      return [...held.values()].flatMap(({ finished, storeAt }) =>
        finished === undefined || storeAt > now ? [] : [finished],
      );
    },
    putOff(claim) {
      const run = find(claim);
      if (run === undefined) return;
      run.putOffMs = Math.min(Math.max(run.putOffMs * 2, firstPutOffMs), maxPutOffMs);
      run.storeAt = performance.now() + run.putOffMs;
    },
    drop: (claims) => claims.forEach(drop),
    renewed({ kept, lost, sentAtMs }) {
      for (const run of kept.flatMap((claim) => find(claim) ?? [])) {
        clearTimeout(run.leaseTimer);
        run.leaseTimer = watchLease(run, sentAtMs);
      }
      for (const run of lost.flatMap((claim) => find(claim) ?? [])) lose(run);
    },
    stop(ids) {
      for (const run of ids.flatMap((id) => held.get(id) ?? [])) cutShort(run, 'stop');
    },
    /** All plays are cut, and cleaned up after as far as there is time; what is left is handed back, for others to do that. */
    async settle(limitMs) {
      for (const run of held.values()) cutShort(run, 'service');
      await waitAtMost(Promise.all(playing), limitMs);
      givingUp.abort();
      await Promise.all(playing);
    },
  };
}
