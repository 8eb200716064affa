import { expect, test } from 'vitest';
import { verifyPace } from './name-asker.ts';

const pace = { perSecond: 1000, seconds: 2 };

test('a run that asked all of its names in time was paced', () => {
  expect(() => verifyPace({ asked: 2000, askingMs: 2100 }, pace)).not.toThrow();
});

test.each([
  [{ asked: 1999, askingMs: 2000 }, '1999 names of 2000'],
  [{ asked: 2000, askingMs: 2101 }, 'in 2101 ms'],
  [{ asked: 2000, askingMs: null }, 'in null ms'],
])('%j is no pace', (run, text) => {
  expect(() => verifyPace(run, pace)).toThrow(text);
});
