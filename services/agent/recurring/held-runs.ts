// The runs that this agent holds: probed through the one cell runner, each with its results gathered.
import type { Outcome } from '../../../contracts/agent.ts';
import type { RunPayload } from '../../../contracts/run.ts';
import type { Claim } from '../../../infra/database/lease-table.ts';
import type { Logger } from '../../../infra/logger.ts';
import { waitAtMost } from '../../../infra/wait-at-most.ts';
import type { CellRunner } from '../run-cells.ts';
import { type CellResult, formatResult } from './cell-result.ts';
import type { ClaimedRun, FinishedRun } from './run-store.ts';

/** Time for one cell from its turn on: two tries, of two and of three seconds. */
const askingMs = 5000;
/** A cell that has waited this long for its turn has none, however long its run is worth running. */
const maxWaitMs = 10 * 60_000;
/** All runs together are one customer of the engine, so that an order of a gateway does not wait behind all tasks. */
export const recurringLane = 'recurring';
/** What cannot be stored for now is tried again after this time, and after twice the last time from then on. */
const firstPutOffMs = 1000;
const maxPutOffMs = 30_000;

/** `claim` is replaced when the lease ran out and this very process claimed the run again. */
type HeldRun = {
  claim: Claim;
  taskId: string;
  cellCount: number;
  results: string[] | undefined;
  putOffMs: number;
  storeAt: number;
};

export type HeldRuns = {
  /** Takes over a claimed run; `onProbed` is called when all its cells have an outcome. */
  take(run: ClaimedRun): void;
  /** Cells of all runs that are held. */
  cellCount(): number;
  runCount(): number;
  /** Tasks of which at least so many cells are held. */
  tasksHolding(minCells: number): string[];
  /** The claims of all runs that are held. */
  claims(): Claim[];
  /**
   * Runs whose cells all have an outcome, the oldest first, up to these numbers of runs and of characters; without those
   * that are put off.
   */
  probed(maxRuns: number, maxLength: number): FinishedRun[];
  /** Moves a run behind the others, and leaves it there for a while, longer each time. */
  putOff(claim: Claim): void;
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
  const cellsByTask = new Map<string, number>();
  let cellCount = 0;

  function countCells(taskId: string, change: number): void {
    cellCount += change;
    const count = (cellsByTask.get(taskId) ?? 0) + change;
    if (count > 0) cellsByTask.set(taskId, count);
    else cellsByTask.delete(taskId);
  }

  async function probe(run: HeldRun, payload: RunPayload, expiresInMs: number): Promise<void> {
    const results: string[] = [];
    const { servers, targets } = payload;
    const deadlineAt = performance.now() + Math.min(Math.max(expiresInMs, askingMs), maxWaitMs);
    const onOutcome = (outcome: Outcome) => results.push(formatResult(toResult(outcome, payload)));
    if (servers[0] === '') for (const cell of targets.keys()) onOutcome(noResolver(cell));
    else await cells.run({ servers, targets }, { deadlineAt, askingMs, lane: recurringLane, onOutcome });
    run.results = results;
    onProbed();
  }

  return {
    take({ claim, taskId, payload, expiresInMs }) {
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
        taskId,
        cellCount: payload.servers.length * payload.targets.length,
        results: undefined,
        putOffMs: 0,
        storeAt: 0,
      };
      held.set(claim.id, run);
      countCells(taskId, run.cellCount);
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
    tasksHolding: (minCells) =>
      [...cellsByTask].flatMap(([taskId, count]) => (count >= minCells ? [taskId] : [])),
    claims: () => [...held.values()].map(({ claim }) => claim),
    probed(maxRuns, maxLength) {
      const found: FinishedRun[] = [];
      let length = 0;
      const now = performance.now();
      for (const { claim, results, storeAt } of held.values()) {
        if (results === undefined || storeAt > now) continue;
        const text = `[${results.join(',')}]`;
        length += text.length;
        if (found.length === maxRuns || (length > maxLength && found.length > 0)) break;
        found.push({ claim, results: text });
      }
      return found;
    },
    putOff({ id, attempt }) {
      const run = held.get(id);
      if (run?.claim.attempt !== attempt) return;
      run.putOffMs = Math.min(Math.max(run.putOffMs * 2, firstPutOffMs), maxPutOffMs);
      run.storeAt = performance.now() + run.putOffMs;
      held.delete(id);
      held.set(id, run);
    },
    drop: (claims) => claims.forEach(drop),
    settle: (limitMs) => waitAtMost(Promise.all(probing), limitMs),
  };

  function drop({ id, attempt }: Claim): void {
    const run = held.get(id);
    if (run?.claim.attempt !== attempt) return;
    countCells(run.taskId, -run.cellCount);
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
