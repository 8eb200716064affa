// Who gets a place when there are fewer of them than readings of the history.
import { expect, test } from 'vitest';
import { createHistoryPlaces } from '../../../services/gateway/history-places.ts';

const longMs = 60_000;

/** Work that ends when it is told to. */
function heldWork() {
  const { promise, resolve: end, reject: fail } = Promise.withResolvers<string>();
  const { promise: isBegun, resolve: tellBegun } = Promise.withResolvers<void>();
  const work = () => {
    tellBegun();
    return promise;
  };
  return { work, isBegun, end, fail };
}

test('so many readings run at once; others follow in the order in which they came', async () => {
  const places = createHistoryPlaces(2, longMs);
  const order: number[] = [];
  const held = [0, 1, 2, 3].map(heldWork);
  const done = held.map(({ work }, index) =>
    places.take(() => {
      order.push(index);
      return work();
    }),
  );
  await Promise.all(held.slice(0, 2).map(({ isBegun }) => isBegun));
  expect(order).toEqual([0, 1]);
  held[1]?.end('one');
  await held[2]?.isBegun;
  expect(order).toEqual([0, 1, 2]);
  held[0]?.end('zero');
  await held[3]?.isBegun;
  held[2]?.end('two');
  held[3]?.end('three');
  expect(await Promise.all(done)).toEqual(['zero', 'one', 'two', 'three']);
  expect(order).toEqual([0, 1, 2, 3]);
});

test('one that gets no place in time is OVERLOADED and is never begun', async () => {
  const places = createHistoryPlaces(1, 20);
  const first = heldWork();
  const done = places.take(first.work);
  let isBegun = false;
  await expect(
    places.take(async () => {
      isBegun = true;
    }),
  ).rejects.toMatchObject({ name: 'ProbeTaskError', code: 'OVERLOADED' });
  first.end('x');
  expect(await done).toBe('x');
  expect(await places.take(async () => 'next')).toBe('next');
  expect(isBegun).toBe(false);
});

test('a reading that fails gives its place back', async () => {
  const places = createHistoryPlaces(1, longMs);
  const first = heldWork();
  const failing = expect(places.take(first.work)).rejects.toThrow('gone');
  const next = places.take(async () => 'next');
  first.fail(new Error('gone'));
  await failing;
  expect(await next).toBe('next');
  expect(await places.take(async () => 'again')).toBe('again');
});
