// How much is claimed while some targets hold much of the room.
import { describe, expect, test } from 'vitest';
import { planClaim } from '../../../../services/crontab/run/claim-room.ts';

const held = (...counts: number[]) => new Map(counts.map((count, index) => [`t${index}`, count]));

describe('room for 2,000 runs', () => {
  test.each([
    ['none held', held(), { limit: 500, crowded: [] }],
    ['one target below half of it', held(999), { limit: 500, crowded: [] }],
    ['one target with half of it', held(1000), { limit: 250, crowded: ['t0'] }],
    [
      'two targets, of which the second has half of what the first leaves',
      held(1000, 500),
      { limit: 125, crowded: ['t0', 't1'] },
    ],
    ['many small targets', held(100, 100, 100), { limit: 500, crowded: [] }],
    ['all of it taken', held(...Array<number>(20).fill(100)), { limit: 0, crowded: [] }],
    ['more than all of it taken', held(1800, 300), { limit: 0, crowded: ['t0', 't1'] }],
  ])('%s', (_, counts, room) => {
    expect(planClaim(counts, 2000)).toEqual(room);
  });

  test('is never taken whole by silent targets, however many there are', () => {
    const counts = new Map<string, number>();
    const claimAll = (target: string): void => {
      for (;;) {
        const { limit, crowded } = planClaim(counts, 2000);
        if (limit === 0 || crowded.includes(target)) return;
        counts.set(target, (counts.get(target) ?? 0) + limit);
      }
    };
    for (const target of ['a', 'b', 'c', 'd']) claimAll(target);
    const { limit, crowded } = planClaim(counts, 2000);
    expect(crowded).toEqual(['a', 'b', 'c', 'd']);
    expect(limit).toBeGreaterThan(0);
  });
});

test('a room for one run is given to whichever comes first', () => {
  expect(planClaim(held(), 1)).toEqual({ limit: 1, crowded: [] });
  expect(planClaim(held(1), 1)).toEqual({ limit: 0, crowded: ['t0'] });
});
