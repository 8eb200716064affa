// What is known of the nodes of a run while it is played, and at its end.
import { expect, test } from 'vitest';
import { createNodeTally } from '../../../../services/dispatch/run/node-tally.ts';
import { startedAt, statsEvent, taskEvent } from './play-events.ts';

test('a node waits until something happened on it', () => {
  const tally = createNodeTally(['a', 'b']);
  const { rows, nodes } = tally.add([taskEvent('b', { isChanged: true })]);
  expect(rows).toMatchObject([{ seq: 1, node: 'b', result: 'ok', detail: { changed: true } }]);
  expect(nodes).toMatchObject([{ node: 'b', position: 1, status: 1, ok: 1, changed: 1, startedAt }]);
  expect(tally.nodes().map(({ status }) => status)).toEqual([0, 1]);
  expect(tally.hasStats()).toBe(false);
});

test('a node runs from the beginning of its first step on', () => {
  const tally = createNodeTally(['a', 'b']);
  expect(tally.add([{ kind: 'begin', node: 'a', at: startedAt - 5000 }])).toMatchObject({
    rows: [],
    nodes: [{ node: 'a', status: 1, startedAt: startedAt - 5000 }],
  });
  tally.add([taskEvent('a')]);
  expect(tally.nodes()).toMatchObject([{ ok: 1, startedAt: startedAt - 5000 }, { status: 0 }]);
});

test('events are numbered through all batches', () => {
  const tally = createNodeTally(['a']);
  tally.add([taskEvent('a'), taskEvent('a')]);
  expect(tally.add([taskEvent('a')]).rows.map(({ seq }) => seq)).toEqual([3]);
});

test('the last failure of a node is its error, with what Ansible says', () => {
  const tally = createNodeTally(['a']);
  tally.add([
    taskEvent('a', { result: 'failed', action: 'first', detail: { msg: 'no' } }),
    taskEvent('a', { result: 'failed', action: 'install', detail: { msg: ' ', stderr: 'disk full\n' } }),
  ]);
  expect(tally.nodes()).toMatchObject([{ err: 'install: failed: disk full', failed: 2 }]);
});

test('a failure that is ignored, or was rescued, leaves no error', () => {
  const tally = createNodeTally(['a', 'b']);
  tally.add([taskEvent('a', { result: 'failed', isIgnored: true }), taskEvent('b', { result: 'failed' })]);
  expect(tally.nodes().map(({ err }) => err)).toEqual([null, 'say hello: failed']);
  tally.add([statsEvent({ a: { ok: 1, ignored: 1 }, b: { ok: 1, rescued: 1 } })]);
  expect(tally.nodes()).toMatchObject([
    { status: 2, err: null },
    { status: 2, err: null },
  ]);
});

test('the stats say how a node ended', () => {
  const tally = createNodeTally(['a', 'b', 'c', 'd']);
  tally.add([taskEvent('b', { result: 'failed' }), taskEvent('c', { result: 'unreachable' })]);
  tally.add([statsEvent({ a: { ok: 1 }, b: { failures: 1 }, c: { unreachable: 1 } })]);
  expect(tally.nodes().map(({ status }) => status)).toEqual([2, 3, 3, 0]);
  expect(tally.hasStats()).toBe(true);
});

test('nodes that are not of the run are passed over', () => {
  const tally = createNodeTally(['a']);
  expect(tally.add([taskEvent('x'), statsEvent({ x: { ok: 1 } })])).toEqual({ rows: [], nodes: [] });
});
