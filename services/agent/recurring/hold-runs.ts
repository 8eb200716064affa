// The runs that this agent holds: probed through the one cell runner, each with its results gathered.
import { setTimeout as pause } from 'node:timers/promises';
import type { Outcome } from '../../../contracts/agent.ts';
import type { RunPayload } from '../../../contracts/run.ts';
import type { Claim } from '../../../infra/database/lease-table.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { CellRunner } from '../run-cells.ts';
import type { CellResult, ClaimedRun, FinishedRun } from './run-store.ts';

/** Longest time for one cell, counted from its first query: two tries, of two and of three seconds. */
const askingMs = 5000;
/** A cell that has waited this long for its turn has none, however long its run is worth running. */
const maxWaitMs = 10 * 60_000;
/** All runs together are one customer of the engine, so that an order of a gateway does not wait behind all tasks. */
const lane = 'recurring';

/** `claim` is replaced when the lease ran out and this very process claimed the run again. */
type HeldRun = { claim: Claim; cellCount: number; results: string[] | undefined };

export type HeldRuns = {
  /** Takes over a claimed run; `onProbed` is called when all its cells have an outcome. */
  take(run: ClaimedRun): void;
  /** Cells of all runs that are held. */
  cellCount(): number;
  runCount(): number;
  /** The claims of all runs that are held. */
  claims(): Claim[];
  /** Runs whose cells all have an outcome, the oldest first, up to these numbers of runs and of characters. */
  probed(maxRuns: number, maxLength: number): FinishedRun[];
  /** Lets go of these runs, except those that were claimed once more since. */
  drop(claims: Claim[]): void;
  /** Resolves when every run is probed, or after this time. */
  settle(limitMs: number): Promise<void>;
};

/** Cells of what is dropped may still be asked; nothing is done with their outcomes. */
export function createHeldRuns(options: {
  cells: Pick<CellRunner, 'run'>;
  onProbed: () => void;
  logger: Logger;
}): HeldRuns {
  const { cells, onProbed, logger } = options;
  const held = new Map<string, HeldRun>();
  const probing = new Set<Promise<void>>();
  let cellCount = 0;

  async function probe(run: HeldRun, payload: RunPayload, expiresInMs: number): Promise<void> {
    const results: string[] = [];
    const { servers, targets } = payload;
    const deadlineAt = performance.now() + Math.min(Math.max(expiresInMs, askingMs), maxWaitMs);
    const onOutcome = (outcome: Outcome) => results.push(JSON.stringify(toResult(outcome, payload)));
    if (servers[0] === '') for (const cell of targets.keys()) onOutcome(noResolver(cell));
    else await cells.run({ servers, targets }, { deadlineAt, askingMs, lane, onOutcome });
    run.results = results;
    onProbed();
  }

  return {
    take({ claim, payload, expiresInMs }) {
      const known = held.get(claim.id);
      if (known !== undefined) {
        known.claim = claim;
        return;
      }
      if (payload === undefined) {
        // Left alone: its lease runs out, and after a few times it is buried where everybody sees it.
        logger.error({ run: claim.id }, 'a run that cannot be understood');
        return;
      }
      const run: HeldRun = {
        claim,
        cellCount: payload.servers.length * payload.targets.length,
        results: undefined,
      };
      held.set(claim.id, run);
      cellCount += run.cellCount;
      const work = probe(run, payload, expiresInMs)
        .catch((error: unknown) => {
          logger.error({ err: error, run: claim.id }, 'a run failed');
          drop(run.claim);
        })
        .finally(() => probing.delete(work));
      probing.add(work);
    },
    cellCount: () => cellCount,
    runCount: () => held.size,
    claims: () => [...held.values()].map(({ claim }) => claim),
    probed(maxRuns, maxLength) {
      const found: FinishedRun[] = [];
      let length = 0;
      for (const { claim, results } of held.values()) {
        if (results === undefined) continue;
        const text = `[${results.join(',')}]`;
        length += text.length;
        if (found.length === maxRuns || (length > maxLength && found.length > 0)) break;
        found.push({ claim, results: text });
      }
      return found;
    },
    drop: (claims) => claims.forEach(drop),
    async settle(limitMs) {
      const limit = new AbortController();
      const timeUp = pause(limitMs, undefined, { signal: limit.signal }).catch(() => undefined);
      await Promise.race([Promise.all(probing), timeUp]);
      limit.abort();
    },
  };

  function drop({ id, attempt }: Claim): void {
    const run = held.get(id);
    if (run?.claim.attempt !== attempt) return;
    cellCount -= run.cellCount;
    held.delete(id);
  }
}

function toResult(outcome: Outcome, payload: RunPayload): CellResult {
  const { servers, targets, first_cell: firstCell, stride } = payload;
  const { cell, delay, lag, status, transport, truncated, tries, flags } = outcome;
  const server = Math.floor(cell / targets.length);
  const target = cell % targets.length;
  return {
    cell: firstCell + server * stride + target,
    domain: targets[target]?.domain ?? '',
    rtype: targets[target]?.rtype ?? '',
    dns_server: servers[server] ?? '',
    status,
    delay_ms: delay,
    lag_ms: lag ?? null,
    transport,
    truncated,
    tries,
    flags,
    answer: outcome.answer,
    authority: outcome.authority,
    additional: outcome.additional,
  };
}

function noResolver(cell: number): Outcome {
  return {
    cell,
    status: 'NO_RESOLVER',
    delay: null,
    transport: null,
    truncated: false,
    tries: 0,
    flags: [],
    answer: [],
    authority: [],
    additional: [],
  };
}
