import { describe, expect, test } from 'vitest';
import { createOrderedQueue } from '../../../../../services/job/paths/search/ordered-queue.ts';
import { createSeededRandom } from '../../../../helpers/seeded-random.ts';

describe('createOrderedQueue', () => {
  test('hands out what comes first of all that is in it', () => {
    const random = createSeededRandom(2);
    const queue = createOrderedQueue<number>((one, other) => one - other);
    const inside: number[] = [];
    for (let round = 0; round < 2000; round += 1) {
      if (random.below(5) < 3) {
        const item = random.below(100);
        inside.push(item);
        queue.push(item);
      } else {
        inside.sort((one, other) => one - other);
        expect(queue.pop()).toBe(inside.shift());
      }
    }
    expect(inside.length).toBeGreaterThan(100);
  });
});
