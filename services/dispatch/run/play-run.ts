// One run from its claim to its verdict: begin → open what is to be run → play → clean up after what was cut short.
import { setTimeout as pause } from 'node:timers/promises';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { describeError } from '../../../infra/error-text.ts';
import type { Logger } from '../../../infra/logger.ts';
import { type Work, workSchema } from '../content/work.ts';
import type { NodeCleanup, PlayEnd, Player } from '../play/player.ts';
import { type Seal, SealError } from '../seal.ts';
import { createNodeTally } from './node-tally.ts';
import type { ClaimedRun, RunStore } from './run-store.ts';
import { type CutReason, type CutRun, failAll, judgeCut, judgePlay, type Verdict } from './verdict.ts';

/** Why a run is cut: somebody wants it stopped, the service is being stopped, or the run is another's by now. */
export type CutCause = 'stop' | 'service' | 'lost';

export type RunPlayer = {
  player: Pick<Player, 'play' | 'cleanNodes'>;
  store: Pick<RunStore, 'begin' | 'addEvents'>;
  seal: Pick<Seal, 'open'>;
  /** Files of this machine that the roles of a content read: variable → path. */
  controllerFilesFor(content: Work['content']): Promise<Record<string, string>>;
  logger: Logger;
};

/** What ends a run before its time. */
export type Cutting = {
  /** Ends the play; its reason is a `CutCause`. */
  signal: AbortSignal;
  /** Ends the clean-up, too: somebody else will have to do it. */
  giveUp: AbortSignal;
  /** Cuts the run, because it is another's by now. */
  lose(): void;
};

const cleanupLimitMs = 60_000;
const storeRetryMs = 1000;

/** Resolves with what the run ends as; undefined when it is not this replica's to end. */
export async function playRun(
  run: ClaimedRun,
  parts: RunPlayer,
  cutting: Cutting,
): Promise<Verdict | undefined> {
  const { player, store } = parts;
  const { signal, giveUp } = cutting;
  const tally = createNodeTally(run.nodes.map(({ text }) => text));
  if (run.wasBegun) return end(run.isStopWanted ? 'stopped' : 'interrupted');

  const beginning = await persist(() => store.begin(run.claim), cutting);
  if (beginning === undefined || beginning === 'lost') return undefined;
  if (beginning === 'stop_wanted')
    return judgeCut(tally.nodes(), { ...run, reason: 'stopped', cleanups: [] });
  const work = openWork(run.work, parts.seal);
  if (typeof work === 'string') return failAll(tally.nodes(), work);
  const controllerFiles = await provideFiles(work, parts);
  if (typeof controllerFiles === 'string') return failAll(tally.nodes(), controllerFiles);

  const played = await player.play(
    { ...run, ...work, controllerFiles },
    { signal, onEvents: (events) => storeEvents(run, tally.add(events), parts, cutting) },
  );
  return judge(played);

  async function judge(played: PlayEnd): Promise<Verdict | undefined> {
    if (played.kind === 'not_started') return failAll(tally.nodes(), played.reason);
    // Killed, for lack of memory perhaps, or fallen over one of its workers: what it began on its nodes may go on.
    if (played.kind === 'ended' && played.hasActed && !tally.hasStats()) return end('broken_off', played);
    if (played.kind === 'ended') return judgePlay(tally.nodes(), { hasStats: tally.hasStats(), ...played });
    if (played.kind === 'timed_out') return end('timed_out');
    return end('interrupted');
  }

  /** What is left on the nodes is ended first: a verdict says that nothing goes on. */
  async function end(reason: CutReason, played?: CutRun['end']): Promise<Verdict | undefined> {
    if (signal.reason === 'lost' || giveUp.aborted) return undefined;
    const cleanups: NodeCleanup[] = await player.cleanNodes(run, {
      timeoutMs: cleanupLimitMs,
      signal: giveUp,
    });
    if (giveUp.aborted) return undefined;
    const said = reason === 'interrupted' && signal.reason === 'stop' ? 'stopped' : reason;
    return judgeCut(tally.nodes(), { ...run, reason: said, cleanups, ...(played && { end: played }) });
  }
}

/** A text says what is wrong. */
function openWork(work: Buffer | null, seal: Pick<Seal, 'open'>): Work | string {
  if (work === null) return 'what was to be run is not there any more';
  try {
    const parsed = workSchema.safeParse(seal.open(work));
    return parsed.success ? parsed.data : 'what was to be run was stored by another version of the service';
  } catch (error) {
    if (error instanceof SealError) return `what was to be run ${error.message} (DISPATCH_SEAL_KEY)`;
    throw error;
  }
}

async function provideFiles(
  { content }: Work,
  { controllerFilesFor, logger }: RunPlayer,
): Promise<Record<string, string> | string> {
  try {
    return await controllerFilesFor(content);
  } catch (error) {
    logger.error({ err: error }, 'the files of a role could not be provided');
    return `the files of its role could not be provided: ${describeError(error)}`;
  }
}

/** Resolves when they are stored, or nobody wants them any more: a play waits for it with its next events. */
async function storeEvents(
  run: ClaimedRun,
  events: Parameters<RunStore['addEvents']>[1],
  { store, logger }: Pick<RunPlayer, 'store' | 'logger'>,
  cutting: Cutting,
): Promise<void> {
  try {
    const isOurs = await persist(() => store.addEvents(run.claim, events), cutting);
    if (isOurs === false) cutting.lose();
  } catch (error) {
    // Offered once more they would be counted once more.
    logger.error({ err: error, run: run.taskId }, 'events cannot be stored');
  }
}

/** Tries it again while the database is away; undefined when nobody wants it any more. Doing it twice has to be the same. */
async function persist<Result>(
  work: () => Promise<Result>,
  { signal, giveUp }: Cutting,
): Promise<Result | undefined> {
  while (signal.reason !== 'lost' && !giveUp.aborted) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof ProbeTaskError)) throw error;
      await pause(storeRetryMs);
    }
  }
  return undefined;
}
