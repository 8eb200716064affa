// What a run ends as: from what its nodes did, not from an exit code. Ansible's says 4 for unreachable nodes and for
// content that it cannot parse, and 0 for a play that reached nobody.
import { type DispatchStatus, dispatchStatuses } from '../../../contracts/dispatch.ts';
import type { NodeCleanup } from '../play/player.ts';
import type { NodeState } from './node-tally.ts';

export type Verdict = { status: DispatchStatus; err: string | null; nodes: NodeState[] };

/** Why a run ended before its time. */
export type CutReason = 'stopped' | 'timed_out' | 'interrupted' | 'broken_off';

const maxErrLength = 2000;
const interruptedErr = 'interrupted';

/** What Ansible says at its end, or how it ended. */
type LastWords = { lastWords: string; exitCode: number | null };

/** A play that came to its end. */
export function judgePlay(
  nodes: readonly NodeState[],
  { hasStats, ...end }: LastWords & { hasStats: boolean },
): Verdict {
  if (!hasStats) return failAll(nodes, describeEnd(end));
  const { exitCode } = end;
  // Of a play that went well, these had nothing to do: `run_once`, `end_host`. A play that no node took part in did not.
  const wentWell = exitCode === 0 && nodes.some(isOver);
  const unplayed = wentWell
    ? { status: dispatchStatuses.succeeded, err: null }
    : { status: dispatchStatuses.failed, err: 'was not played' };
  const ended = nodes.map((state) => (isOver(state) ? state : { ...state, ...unplayed }));
  const failed = ended.filter(({ status }) => status !== dispatchStatuses.succeeded).length;
  if (failed === 0) return { status: dispatchStatuses.succeeded, err: null, nodes: ended };
  const status = failed === ended.length ? dispatchStatuses.failed : dispatchStatuses.partly;
  return { status, err: `${failed} of ${ended.length} nodes failed`, nodes: ended };
}

function describeEnd({ lastWords, exitCode }: LastWords): string {
  if (lastWords !== '') return lastWords;
  return `ansible-playbook ${exitCode === null ? 'was killed' : `ended with exit code ${exitCode}`}`;
}

/** A run that could not be played at all. */
export function failAll(nodes: readonly NodeState[], reason: string): Verdict {
  const status = dispatchStatuses.failed;
  const err = reason.slice(0, maxErrLength);
  return { status, err, nodes: nodes.map((state) => (isOver(state) ? state : { ...state, status, err })) };
}

export type CutRun = {
  reason: CutReason;
  timeoutMs: number;
  cleanups: readonly NodeCleanup[];
  /** Of Ansible itself, where it broke off. */
  end?: LastWords;
};

/** A run that was cut short; `cleanups` tells on which nodes nothing of it is left, as far as it was asked. */
export function judgeCut(nodes: readonly NodeState[], { reason, timeoutMs, cleanups, end }: CutRun): Verdict {
  const said = {
    stopped: null,
    interrupted: interruptedErr,
    timed_out: `took longer than ${timeoutMs / 1000} s`,
    broken_off: end === undefined ? null : describeEnd(end),
  }[reason];
  const status = reason === 'stopped' ? dispatchStatuses.stopped : dispatchStatuses.failed;
  const unclean = cleanups.filter(({ isClean }) => !isClean);
  const leftOver = unclean.map(({ node, reason: why }) => `${node}: ${why}`).join('; ');
  const doubt = unclean.length === 0 ? null : `it may go on at ${leftOver}`;
  const words = [said, doubt].filter((word) => word !== null);
  return {
    status,
    err: words.length === 0 ? null : words.join('; ').slice(0, maxErrLength),
    nodes: nodes.map((state) => {
      const mark = unclean.find(({ node }) => node === state.node);
      const err =
        mark === undefined ? (state.err ?? said) : `it may go on: ${mark.reason}`.slice(0, maxErrLength);
      return isOver(state) && mark === undefined ? state : { ...state, status, err };
    }),
  };
}

function isOver({ status }: NodeState): boolean {
  return status !== dispatchStatuses.waiting && status !== dispatchStatuses.running;
}
