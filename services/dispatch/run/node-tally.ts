// What is known of each node of a run, from the events of its play.
import { type DispatchResult, type DispatchStatus, dispatchStatuses } from '../../../contracts/dispatch.ts';
import type { PlayEvent } from '../play/player.ts';

/** One row of `dispatch_node`. Times are milliseconds since the epoch. */
export type NodeState = {
  position: number;
  node: string;
  status: DispatchStatus;
  ok: number;
  changed: number;
  failed: number;
  skipped: number;
  err: string | null;
  startedAt: number | null;
};

/** One row of `dispatch_event`. */
export type EventRow = {
  seq: number;
  node: string;
  action: string;
  result: DispatchResult;
  startedAt: number;
  endedAt: number;
  detail: Record<string, unknown>;
};

export type NodeTally = {
  /** Adds events; returns the rows that they make, and the nodes that they changed. */
  add(events: readonly PlayEvent[]): { rows: EventRow[]; nodes: NodeState[] };
  /** Whether the play told of its end. */
  hasStats(): boolean;
  nodes(): readonly NodeState[];
};

const maxErrLength = 1000;

/** Counts an Ansible task as `ok`, `failed` or `skipped` as its line of the log does; a failure that was to be ignored is no fault. */
export function createNodeTally(nodes: readonly string[]): NodeTally {
  const states = new Map(nodes.map((node, position) => [node, emptyState(node, position)]));
  let seq = 0;
  let hasStats = false;

  function begin(state: NodeState, atMs: number): void {
    state.startedAt ??= atMs;
    if (state.status === dispatchStatuses.waiting) state.status = dispatchStatuses.running;
  }

  function addTask(state: NodeState, event: Extract<PlayEvent, { kind: 'task' }>): EventRow {
    const { node, action, module, result, isIgnored, isChanged, startedAt, endedAt, detail } = event;
    if (result === 'ok') state.ok += 1;
    else if (result === 'skipped') state.skipped += 1;
    else state.failed += 1;
    if (isChanged) state.changed += 1;
    if ((result === 'failed' || result === 'unreachable') && !isIgnored) state.err = describeFailure(event);
    seq += 1;
    const told = { module, changed: isChanged, ...(isIgnored && { ignored: true }), ...detail };
    return { seq, node, action, result, startedAt, endedAt, detail: told };
  }

  /** The play's own account: a failure may have been rescued. */
  function addStats(stats: Extract<PlayEvent, { kind: 'stats' }>['nodes']): NodeState[] {
    hasStats = true;
    const known = [...states.values()].filter(({ node }) => Object.hasOwn(stats, node));
    for (const state of known) {
      const { failures = 0, unreachable = 0 } = stats[state.node] ?? {};
      const hasFailed = failures + unreachable > 0;
      state.status = hasFailed ? dispatchStatuses.failed : dispatchStatuses.succeeded;
      if (!hasFailed) state.err = null;
    }
    return known;
  }

  return {
    add(events) {
      const rows: EventRow[] = [];
      const changed = new Set<NodeState>();
      for (const event of events) {
        if (event.kind === 'stats') {
          for (const state of addStats(event.nodes)) changed.add(state);
          continue;
        }
        const state = states.get(event.node);
        if (state === undefined) continue;
        begin(state, event.kind === 'begin' ? event.at : event.startedAt);
        if (event.kind === 'task') rows.push(addTask(state, event));
        changed.add(state);
      }
      return { rows, nodes: [...changed].map((state) => ({ ...state })) };
    },
    hasStats: () => hasStats,
    nodes: () => [...states.values()].map((state) => ({ ...state })),
  };
}

function emptyState(node: string, position: number): NodeState {
  return {
    position,
    node,
    status: dispatchStatuses.waiting,
    ok: 0,
    changed: 0,
    failed: 0,
    skipped: 0,
    err: null,
    startedAt: null,
  };
}

/** `install nginx: failed: …`: the step, what became of it, and what Ansible says. */
function describeFailure(event: Extract<PlayEvent, { kind: 'task' }>): string {
  const { action, result, detail } = event;
  const said = [detail.msg, detail.stderr, detail.stdout].find(
    (text) => typeof text === 'string' && text.trim() !== '',
  );
  const words = [action, result, typeof said === 'string' ? said.trim() : ''].filter((word) => word !== '');
  return words.join(': ').slice(0, maxErrLength);
}
