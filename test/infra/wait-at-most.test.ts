// Waiting for work that ends in time, too late, or with a fault; by a clock of the test.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { waitAtMost } from '../../infra/wait-at-most.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('ends with the work, and leaves no timer behind', async () => {
  await waitAtMost(Promise.resolve(7), 1000);
  expect(vi.getTimerCount()).toBe(0);
});

test('ends when the time is up, and not before', async () => {
  let isOver = false;
  const waiting = waitAtMost(new Promise(() => undefined), 1000).then(() => {
    isOver = true;
  });
  await vi.advanceTimersByTimeAsync(999);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  await waiting;
  expect(isOver).toBe(true);
});

test('fails with work that fails in time', async () => {
  const fault = new Error('bad');
  await expect(waitAtMost(Promise.reject(fault), 1000)).rejects.toBe(fault);
  expect(vi.getTimerCount()).toBe(0);
});
