// Work for many items of which some are bad: which of them are done, and which are given up.
import { expect, test } from 'vitest';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { isolateFault } from '../../../infra/schedule/isolate-fault.ts';

const fault = new Error('all of it failed');

/** Items from 0; those in `bad` fail, alone and in company. */
async function isolate(count: number, bad: number[]) {
  const givenUp: [number, string][] = [];
  let attempts = 0;
  const parts = await isolateFault(
    Array.from({ length: count }, (_, item) => item),
    fault,
    {
      async work(part) {
        attempts += 1;
        const stone = part.find((item) => bad.includes(item));
        if (stone !== undefined) throw new Error(`stumbled over ${stone}`);
        return part;
      },
      async giveUp(item, reason) {
        givenUp.push([item, String(reason)]);
      },
    },
  );
  return { done: parts.flat(), givenUp, attempts };
}

test.each([[[0]], [[499]], [[250]], [[3, 4, 77]]])('all are done but %j, each once', async (bad) => {
  const { done, givenUp } = await isolate(500, bad);
  expect(done).toEqual(Array.from({ length: 500 }, (_, item) => item).filter((item) => !bad.includes(item)));
  expect(givenUp).toEqual(bad.map((item) => [item, `Error: stumbled over ${item}`]));
});

test('one of 500 is found in a score of attempts', async () => {
  expect((await isolate(500, [321])).attempts).toBeLessThanOrEqual(18);
});

test('a single item is given up without another attempt', async () => {
  expect(await isolate(1, [0])).toEqual({ done: [], givenUp: [[0, String(fault)]], attempts: 0 });
});

test('a fault without items is thrown on', async () => {
  await expect(isolate(0, [])).rejects.toBe(fault);
});

test('nothing is given up for want of the database', async () => {
  const away = new ProbeTaskError('UNAVAILABLE', 'the database is away');
  const giveUp = () => Promise.reject(new Error('gave up'));
  await expect(isolateFault([1], away, { work: async () => 0, giveUp })).rejects.toBe(away);
  const work = () => Promise.reject(away);
  await expect(isolateFault([1, 2], fault, { work, giveUp })).rejects.toBe(away);
});
