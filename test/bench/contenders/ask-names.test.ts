import { expect, test } from 'vitest';
import { askNames } from './ask-names.ts';

/** Answers in a later turn, in the order asked. */
function answerWith(fault: (index: number) => string | null) {
  const asked: number[] = [];
  return {
    asked,
    ask: (index: number, done: (asked: { fault: string | null; delayMs: number }) => void) => {
      asked.push(index);
      setImmediate(() => done({ fault: fault(index), delayMs: 2 }));
    },
  };
}

test('a paced run asks so many a second, each name in turn', async () => {
  const { asked, ask } = answerWith(() => null);
  const load = { kind: 'paced', perSecond: 2000 } as const;
  const answers = await askNames({ load, seconds: 0.05, nameCount: 60 }, ask);
  expect(answers).toMatchObject({ asked: 100, answered: 100, failures: {} });
  expect(answers.delaysMs).toEqual(Array(100).fill(2));
  expect(answers.askingMs).toBeGreaterThanOrEqual(50);
  expect(answers.elapsedMs).toBeGreaterThanOrEqual(answers.askingMs ?? Number.NaN);
  expect(answers.lagMs?.worst).toBeGreaterThanOrEqual(0);
  expect(asked).toEqual(Array.from({ length: 100 }, (_, index) => index % 60));
});

test('at full load as many names as told are open until the time is over', async () => {
  let open = 0;
  let mostOpen = 0;
  const answers = await askNames(
    { load: { kind: 'full', inFlight: 7 }, seconds: 0.02, nameCount: 10 },
    (_index, done) => {
      open += 1;
      mostOpen = Math.max(mostOpen, open);
      setImmediate(() => {
        open -= 1;
        done({ fault: null, delayMs: 2 });
      });
    },
  );
  expect(mostOpen).toBe(7);
  expect(open).toBe(0);
  expect(answers.asked).toBeGreaterThan(7);
  expect(answers.answered).toBe(answers.asked);
});

test('what was not right is counted by its kind', async () => {
  const { ask } = answerWith((index) => (index === 0 ? 'TIMEOUT' : null));
  const load = { kind: 'paced', perSecond: 1000 } as const;
  const answers = await askNames({ load, seconds: 0.02, nameCount: 10 }, ask);
  expect(answers).toMatchObject({ asked: 20, answered: 18, failures: { TIMEOUT: 2 } });
});
