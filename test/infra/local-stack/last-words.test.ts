import { expect, test } from 'vitest';
import { findLastWords, findWaitingReason } from '../../../infra/local-stack/last-words.ts';

const event = (level: number, msg: string, err?: string): string =>
  JSON.stringify({ level, msg, ...(err === undefined ? {} : { err: { message: err } }) });

test.each([
  ['nothing', '', ''],
  [
    'the configuration faults, joined',
    'A: is missing\nB: expected a number\n',
    'A: is missing; B: expected a number',
  ],
  [
    'the last error event with its cause, not the farewell after it',
    `${event(30, 'starting')}\n${event(60, 'the start failed', 'no\nroute')}\n${event(30, 'stopped')}\n`,
    'the start failed: no route',
  ],
  ['nothing when no event is a fault', `${event(40, 'careful')}\n${event(30, 'stopped')}\n`, ''],
  [
    'the message of an uncaught exception, not its stack',
    "file:///x.ts:3\nthrow new Error('no luck');\n      ^\n\nError: no luck\n    at x (file:///x.ts:3:7)\n\nNode.js v24.0.0\n",
    'Error: no luck',
  ],
])('finds %s', (_case, output, words) => {
  expect(findLastWords(output)).toBe(words);
});

test('finds what a service waits for, and why', () => {
  const waiting = (reason: string) => JSON.stringify({ level: 40, msg: 'waiting for the bus', reason });
  const output = `${waiting('refused')}\n${waiting('silent')}\n${event(30, 'health and metrics')}\n`;
  expect(findWaitingReason(output)).toBe('waiting for the bus: silent');
  expect(findWaitingReason(event(40, 'careful'))).toBe('');
});
