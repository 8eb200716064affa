// What leaves together, in which order, and what a message that cannot be sent does to the others.
import { setImmediate as turnEnds } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createOutbox } from '../../../infra/bus/outbox.ts';

function createLog() {
  const sent: string[] = [];
  const faults: string[] = [];
  const outbox = createOutbox<string>({
    send(message) {
      if (message.startsWith('bad')) throw new Error('cannot be sent');
      sent.push(message);
    },
    onFault: (_fault, message) => faults.push(message),
  });
  return { outbox, sent, faults };
}

test('messages of callbacks of one turn are sent together, in their order, when it ends', async () => {
  const { outbox, sent } = createLog();
  outbox.add('first');
  await Promise.resolve();
  outbox.add('after a promise');
  await new Promise<void>((resolve) => process.nextTick(resolve));
  outbox.add('after a tick');
  expect(sent).toEqual([]);
  await turnEnds();
  expect(sent).toEqual(['first', 'after a promise', 'after a tick']);
  await turnEnds();
  expect(sent).toHaveLength(3);
});

test('what is held is sent at once when asked for, and not again', async () => {
  const { outbox, sent } = createLog();
  outbox.add('first');
  outbox.send();
  expect(sent).toEqual(['first']);
  outbox.add('second');
  await turnEnds();
  expect(sent).toEqual(['first', 'second']);
});

test('a message that cannot be sent is told and keeps no other back', async () => {
  const { outbox, sent, faults } = createLog();
  for (const message of ['one', 'bad two', 'three']) outbox.add(message);
  await turnEnds();
  expect({ sent, faults }).toEqual({ sent: ['one', 'three'], faults: ['bad two'] });
});
