// Outcomes packed into messages.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { maxOutcomeMessageOctets, type OrderReply, orderReplySchema } from '../../../contracts/agent.ts';
import { createOutcomeStream } from '../../../services/agent/stream-outcomes.ts';
import { outcomeOf } from '../../helpers/scripted-agent.ts';

const large = 8 * 1024 * 1024;

let sent: Buffer[];
beforeEach(() => {
  sent = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

function createStream(busLimitOctets = large) {
  return createOutcomeStream('order', busLimitOctets, (body) => sent.push(body));
}

function messages(): OrderReply[] {
  return sent.map((body) => orderReplySchema.parse(JSON.parse(body.toString())));
}

test('outcomes of one moment travel together, and those that follow are not kept waiting', () => {
  const stream = createStream();
  stream.push(outcomeOf(0));
  stream.push(outcomeOf(1));
  expect(sent).toHaveLength(0);
  vi.advanceTimersByTime(20);
  expect(messages()).toMatchObject([
    { kind: 'outcomes', order_id: 'order', outcomes: [{ cell: 0 }, { cell: 1 }] },
  ]);
  stream.push(outcomeOf(2));
  stream.end();
  expect(messages()[1]).toMatchObject({ outcomes: [{ cell: 2 }] });
  vi.advanceTimersByTime(100);
  stream.end();
  expect(sent).toHaveLength(2);
});

test.each([[large], [8192]])(
  'no message is larger than 64 KiB nor than a bus of %d octets takes',
  (limit) => {
    const stream = createStream(limit);
    for (let cell = 0; cell < 1000; cell += 1) stream.push(outcomeOf(cell));
    stream.end();
    expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(
      Math.min(limit, maxOutcomeMessageOctets),
    );
    const cells = messages().flatMap((message) => (message.kind === 'outcomes' ? message.outcomes : []));
    expect(cells.map(({ cell }) => cell)).toEqual(Array.from({ length: 1000 }, (_, cell) => cell));
  },
);

test('an outcome that fits no message goes in parts that fit, whatever has to be escaped', () => {
  const result = '"\\'.repeat(100_000);
  const record = { name: 'x.', ttl: 1, rdclass: 'IN', rdtype: 'TXT', result };
  createStream().push(outcomeOf(7, { answer: [record] }));
  expect(Math.max(...sent.map(({ length }) => length))).toBeLessThanOrEqual(maxOutcomeMessageOctets);
  const parts = messages().map((message) => (message.kind === 'fragment' ? message.text : ''));
  expect(JSON.parse(parts.join('')).answer[0].result).toBe(result);
});
