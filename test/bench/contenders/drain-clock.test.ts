import { expect, test } from 'vitest';
import { createDrainClock } from './drain-clock.ts';

test('the end is when all jobs were handled and none is left', async () => {
  const clock = createDrainClock(3);
  let looks = 0;
  const end = clock.waitForEnd(async () => {
    looks += 1;
    return looks < 3;
  });
  for (const job of [1, 2, 3]) clock.handle(job);
  expect(await end).toMatchObject({ calls: 3, jobs: 3, isDone: true });
  expect(looks).toBe(3);
});

test('a job that is done twice is counted twice', async () => {
  const clock = createDrainClock(3);
  for (const job of [1, 2, 2]) clock.handle(job);
  expect(await clock.waitForEnd(async () => false)).toMatchObject({ calls: 3, jobs: 2 });
});

test('a job that never comes ends the wait', async () => {
  const clock = createDrainClock(3, 20);
  for (const job of [1, 2]) clock.handle(job);
  await expect(clock.waitForEnd(async () => false)).rejects.toThrow('2 of 3 jobs were handled after 20 ms');
});

test('a job that stays in the database ends the wait', async () => {
  const clock = createDrainClock(1, 20);
  clock.handle(1);
  await expect(clock.waitForEnd(async () => true)).rejects.toThrow('jobs are left 20 ms after');
});
