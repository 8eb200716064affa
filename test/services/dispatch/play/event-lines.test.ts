// Lines of the event file, and what is no event.
import { expect, test } from 'vitest';
import { readEventLine } from '../../../../services/dispatch/play/event-lines.ts';

const context = { nodes: new Set(['10.0.0.1']), secretForms: ['geheim'] };
const task = {
  kind: 'task',
  node: '10.0.0.1',
  action: 'say geheim',
  module: 'command',
  result: 'ok',
  isIgnored: false,
  isChanged: true,
  startedAt: 1,
  endedAt: 2,
  detail: { stdout: 'geheim', rc: 0 },
};
const stats = { ok: 1, changed: 0, failures: 0, unreachable: 0, skipped: 0, rescued: 0, ignored: 0 };

test('a task is read, without its secrets', () => {
  expect(readEventLine(JSON.stringify(task), context)).toEqual({
    kind: 'event',
    event: { ...task, action: 'say ********', detail: { stdout: '********', rc: 0 } },
  });
});

test('statistics are those of nodes of the play', () => {
  const line = JSON.stringify({ kind: 'stats', nodes: { '10.0.0.1': stats, localhost: stats } });
  expect(readEventLine(line, context)).toEqual({
    kind: 'event',
    event: { kind: 'stats', nodes: { '10.0.0.1': stats } },
  });
});

test('the first line says that the play begins', () => {
  expect(readEventLine('{"kind":"start"}', context)).toEqual({ kind: 'start' });
});

test.each([
  ['of another node', JSON.stringify({ ...task, node: 'localhost' })],
  ['of an unknown kind', JSON.stringify({ ...task, kind: 'other' })],
  ['with an unknown result', JSON.stringify({ ...task, result: 'fine' })],
  ['without a detail', JSON.stringify({ ...task, detail: undefined })],
  ['cut off', JSON.stringify(task).slice(0, -5)],
  ['that is no JSON', 'Traceback (most recent call last):'],
  ['that is empty', ''],
])('a line %s is garbage', (_name, line) => {
  expect(readEventLine(line, context)).toEqual({ kind: 'garbage' });
});
