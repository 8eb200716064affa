import { expect, test } from 'vitest';
import { type DispatchTaskState, dispatchStatuses } from '../../../../contracts/dispatch.ts';
import { readOutcomes } from '../../../../services/cli/agents/read-run.ts';
import { renderOutcomes } from '../../../../services/cli/agents/render-outcomes.ts';

const report = {
  changed: true,
  state: 'running',
  agent: 'agent-1',
  place: ['86', '440000', '440400', '电信'],
  release: 'probe-agent-0.1.0-abc',
};

function describeRun(log: unknown[]): DispatchTaskState {
  const node = { ok: 0, changed: 0, failed: 0, skipped: 0, err: null, start_time: null, end_time: null };
  return {
    ...{ create_time: '', update_time: '', err: null, id: 1, nodes: '[]', status: dispatchStatuses.partly },
    log: JSON.stringify(log),
    node_results: [
      { ...node, node: '10.0.0.1', status: dispatchStatuses.succeeded },
      { ...node, node: '10.0.0.2', status: dispatchStatuses.failed, err: 'Run the release: failed' },
      { ...node, node: '10.0.0.3', status: dispatchStatuses.failed, err: 'unreachable' },
      { ...node, node: '10.0.0.4', status: dispatchStatuses.running },
    ],
  };
}

const outcomes = readOutcomes(
  describeRun([
    {
      host: '10.0.0.1',
      task: 'Run the release',
      result: 'ok',
      stdout: `{"a": 1}\n${JSON.stringify(report)}`,
    },
    {
      host: '10.0.0.2',
      task: 'Run the release',
      result: 'failed',
      stderr: 'last words\nit did not become ready',
    },
    { omitted: 3 },
  ]),
);

test('what the agent says of itself is read from the last line of its step', () => {
  expect(outcomes[0]).toMatchObject({ result: 'succeeded', isOver: true, hasFailed: false, agent: report });
});

test('what failed is told in the words of the node, else in those of the run', () => {
  expect(outcomes.map(({ reason }) => reason)).toEqual([
    undefined,
    'last words\nit did not become ready',
    'unreachable',
    undefined,
  ]);
  expect(outcomes[3]).toMatchObject({ result: 'running', isOver: false, hasFailed: false });
});

test('a node on which a run was stopped has no reason unless one was told', () => {
  const run = describeRun([]);
  const [node] = run.node_results;
  if (node === undefined) throw new Error('the run has no node');
  const [stopped] = readOutcomes({
    ...run,
    node_results: [{ ...node, status: dispatchStatuses.stopped, err: null }],
  });
  expect(stopped).toMatchObject({ result: 'stopped', hasFailed: true });
  expect(stopped?.reason).toBeUndefined();
});

test('of what failed the reason is told, too, where a stack of calls follows it', () => {
  const words = [
    'Error: broken',
    ...Array.from({ length: 18 }, (_, index) => `    at frame ${index}`),
    'gone',
  ];
  const [, failed] = readOutcomes(
    describeRun([{ host: '10.0.0.2', task: 'Run the release', result: 'failed', stderr: words.join('\n') }]),
  );
  expect(failed?.reason?.split('\n')).toEqual(words);
});

test('the table has a line for each node, and below it what failed', () => {
  const text = renderOutcomes(outcomes, { width: undefined, hasColour: false });
  expect(text).toBe(`NODE      RESULT     CHANGED  STATE    AGENT    PLACE                  RELEASE
10.0.0.1  succeeded  yes      running  agent-1  86,440000,440400,电信  0.1.0-abc
10.0.0.2  failed     -        -        -        -                      -
10.0.0.3  failed     -        -        -        -                      -
10.0.0.4  running    -        -        -        -                      -

10.0.0.2:
    last words
    it did not become ready
10.0.0.3:
    unreachable

4 nodes, 2 failed
`);
});
