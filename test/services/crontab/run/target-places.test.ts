// Places of targets: given in order, each target its own, and given on when they are left.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { createTargetPlaces } from '../../../../services/crontab/run/target-places.ts';

test('as many as are free get theirs at once, the others in their order as places are left', () => {
  const places = createTargetPlaces(2);
  const entered: string[] = [];
  const enter = (name: string) => () => entered.push(name) > 0;
  for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) places.enter('a', enter(name));
  places.enter('b', enter('b1'));
  expect(entered).toEqual(['a1', 'a2', 'b1']);
  places.leave('a');
  expect(entered.slice(3)).toEqual(['a3']);
  places.leave('a');
  places.leave('a');
  expect(entered.slice(3)).toEqual(['a3', 'a4', 'a5']);
  places.leave('a');
  places.leave('a');
  places.enter('a', enter('a6'));
  expect(entered.at(-1)).toBe('a6');
});

test('a place that nobody wants any more goes on to whoever waits', () => {
  const places = createTargetPlaces(1);
  const entered: string[] = [];
  const enter = (name: string) => () => entered.push(name) > 0;
  places.enter('a', enter('a1'));
  places.enter('a', () => false);
  places.enter('a', enter('a3'));
  places.leave('a');
  expect(entered).toEqual(['a1', 'a3']);
});

test('who has had a turn is forgotten, though there is always somebody who waits', async () => {
  const places = createTargetPlaces(1);
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const callers: WeakRef<object>[] = [];
  function enterOne(): void {
    const caller = { name: 'a' };
    callers.push(new WeakRef(caller));
    places.enter('a', () => caller.name === 'a');
  }
  for (let count = 0; count < 10; count += 1) enterOne();
  for (let count = 0; count < 100; count += 1) {
    enterOne();
    places.leave('a');
  }
  await new Promise(setImmediate);
  collectGarbage();
  expect(callers.filter((caller) => caller.deref() !== undefined).length).toBeLessThanOrEqual(20);
});
