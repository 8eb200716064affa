import { expect, test } from 'vitest';
import { type DispatchTaskState, dispatchStatuses } from '../../../contracts/dispatch.ts';
import { benchRun, findRunFaults, fiveTasks } from './dispatch-content.ts';

const { succeeded, failed, partly } = dispatchStatuses;
const nodes = ['127.0.0.1', '127.0.0.2'].map((text) => ({ address: text, port: 22, text }));
const steps = ['look', 'write', 'find', 'count', 'remove'];

function stateOf({
  log = logOf(nodes.map(({ text }) => text)),
  status = succeeded,
  second = {},
}: {
  log?: object[];
  status?: number;
  second?: object;
}): DispatchTaskState {
  const time = 'Wed, 17 Aug 2016 18:38:17 GMT';
  const result = { status: succeeded, ok: 5, changed: 4, failed: 0, skipped: 0, err: null };
  return {
    id: 1,
    status,
    err: status === succeeded ? null : '1 of 2 nodes failed',
    create_time: time,
    update_time: time,
    nodes: '[]',
    log: JSON.stringify(log),
    node_results: nodes.map(({ text }, index) => ({
      node: text,
      start_time: time,
      end_time: time,
      ...result,
      ...(index === 1 && second),
    })),
  };
}

function logOf(hosts: readonly string[], stdout = '1000') {
  return hosts.flatMap((host) => steps.map((task) => ({ host, task, result: 'ok', stdout })));
}

test('a run in which every step was done on every node is right', () => {
  expect(findRunFaults(stateOf({}), { nodes, tasks: fiveTasks })).toEqual([]);
});

test.each<[string, Parameters<typeof stateOf>[0], RegExp]>([
  ['its status', { status: partly }, /^status 5: 1 of 2 nodes failed$/],
  ['a node that failed', { second: { status: failed, ok: 3, err: 'no room' } }, /^127\.0\.0\.2: .*no room$/],
  ['a node without steps', { log: logOf(['127.0.0.1']) }, /^127\.0\.0\.2: steps $/],
  [
    'a step that is missing',
    { log: logOf(['127.0.0.1', '127.0.0.2']).slice(0, -1) },
    /^127\.0\.0\.2: steps look,write/,
  ],
  [
    'a step that was done twice',
    { log: [...logOf(['127.0.0.1', '127.0.0.2']), ...logOf(['127.0.0.2'])] },
    /steps/,
  ],
  [
    'a file of another length',
    { log: logOf(['127.0.0.1', '127.0.0.2'], '999') },
    /^127\.0\.0\.1: counted 999$/,
  ],
  [
    'a node that nobody named',
    { log: logOf(['127.0.0.1', '127.0.0.2', '127.0.0.3']) },
    /^3 nodes in the log/,
  ],
])('a fault is %s', (_what, given, fault) => {
  expect(findRunFaults(stateOf(given), { nodes, tasks: fiveTasks })).toContainEqual(
    expect.stringMatching(fault),
  );
});

test('no two runs work on the same file', () => {
  const [one, other] = [1, 2].map(() => benchRun([], { forks: 1, tasks: fiveTasks }));
  expect(one?.params).not.toEqual(other?.params);
});
