// What a run ends as.
import { expect, test } from 'vitest';
import { createNodeTally } from '../../../../services/dispatch/run/node-tally.ts';
import { failAll, judgeCut, judgePlay } from '../../../../services/dispatch/run/verdict.ts';
import { statsEvent, taskEvent } from './play-events.ts';

const over = { hasStats: true, lastWords: '', exitCode: 0 };

function tallyOf(...events: Parameters<ReturnType<typeof createNodeTally>['add']>[0]) {
  const tally = createNodeTally(['a', 'b']);
  tally.add(events);
  return tally.nodes();
}

test.each([
  [{ a: {}, b: {} }, 2, null],
  [{ a: {}, b: { failures: 1 } }, 5, '1 of 2 nodes failed'],
  [{ a: { unreachable: 1 }, b: { failures: 1 } }, 3, '2 of 2 nodes failed'],
  [{ a: {} }, 2, null],
  [{}, 3, '2 of 2 nodes failed'],
])('stats of %j make status %d', (stats, status, err) => {
  expect(judgePlay(tallyOf(statsEvent(stats)), over)).toMatchObject({ status, err });
});

test('a node that the play never came to has succeeded only where the play did', () => {
  const nodes = tallyOf(statsEvent({ a: {} }));
  expect(judgePlay(nodes, { ...over, exitCode: 2 }).nodes).toMatchObject([
    { node: 'a', status: 2, err: null },
    { node: 'b', status: 3, err: 'was not played' },
  ]);
  // As `run_once` makes it.
  expect(judgePlay(nodes, over).nodes).toMatchObject([
    { node: 'a', status: 2, err: null },
    { node: 'b', status: 2, err: null },
  ]);
});

test('a play without an end has failed, whatever its exit code', () => {
  const nodes = tallyOf(taskEvent('a'));
  expect(
    judgePlay(nodes, { hasStats: false, lastWords: 'ERROR! no such module', exitCode: 4 }),
  ).toMatchObject({
    status: 3,
    err: 'ERROR! no such module',
    nodes: [{ status: 3 }, { status: 3 }],
  });
  expect(judgePlay(nodes, { hasStats: false, lastWords: '', exitCode: 0 }).err).toBe(
    'ansible-playbook ended with exit code 0',
  );
  expect(judgePlay(nodes, { hasStats: false, lastWords: '', exitCode: null }).err).toBe(
    'ansible-playbook was killed',
  );
});

test('a run that could not be played has failed on every node', () => {
  expect(failAll(tallyOf(), 'no sandbox')).toMatchObject({
    status: 3,
    err: 'no sandbox',
    nodes: [
      { status: 3, err: 'no sandbox' },
      { status: 3, err: 'no sandbox' },
    ],
  });
});

const clean = [
  { node: 'a', isClean: true, reason: '' },
  { node: 'b', isClean: true, reason: '' },
];

test.each([
  ['stopped', 4, null],
  ['interrupted', 3, 'interrupted'],
  ['timed_out', 3, 'took longer than 90 s'],
] as const)('a run that was %s has status %d', (reason, status, err) => {
  const verdict = judgeCut(tallyOf(taskEvent('a')), { reason, timeoutMs: 90_000, cleanups: clean });
  expect(verdict).toMatchObject({ status, err });
  expect(verdict.nodes).toMatchObject([
    { status, err },
    { status, err },
  ]);
});

test('what could not be proven gone is told, of the run and of the node', () => {
  const cleanups = [
    { node: 'a', isClean: true, reason: '' },
    { node: 'b', isClean: false, reason: 'unreachable' },
  ];
  const verdict = judgeCut(tallyOf(), { reason: 'stopped', timeoutMs: 1000, cleanups });
  expect(verdict).toMatchObject({ status: 4, err: 'it may go on at b: unreachable' });
  expect(verdict.nodes).toMatchObject([{ err: null }, { err: 'it may go on: unreachable' }]);
});

test('long words are cut', () => {
  expect(failAll(tallyOf(), 'x'.repeat(10_000)).err).toHaveLength(2000);
});
