// Beginnings that are written down together, on a store that does what the test says.
import { expect, test } from 'vitest';
import type { Claim } from '../../../../infra/database/lease-table.ts';
import { createBeginOnly } from '../../../../services/crontab/run/begin-together.ts';

const claimOf = (id: number, attempt = 1): Claim => ({ id: String(id), attempt });

/** Rounds that end when the test says so. */
function createRounds() {
  const rounds: { ids: string[]; end: PromiseWithResolvers<Claim[]> }[] = [];
  const beginOnly = createBeginOnly((claims) => {
    const end = Promise.withResolvers<Claim[]>();
    rounds.push({ ids: claims.map(({ id }) => id), end });
    return end.promise;
  });
  return { rounds, beginOnly, idsOfRounds: () => rounds.map(({ ids }) => ids) };
}

const settled = () => new Promise(setImmediate);

test('calls of one moment are one round, and those that come during it the next', async () => {
  const { rounds, beginOnly, idsOfRounds } = createRounds();
  const first = [1, 2].map((id) => beginOnly(claimOf(id)));
  await settled();
  const second = [3, 4].map((id) => beginOnly(claimOf(id)));
  await settled();
  expect(idsOfRounds()).toEqual([['1', '2']]);
  rounds[0]?.end.resolve([claimOf(2)]);
  expect(await Promise.all(first)).toEqual([false, true]);
  await settled();
  expect(idsOfRounds()).toEqual([
    ['1', '2'],
    ['3', '4'],
  ]);
  rounds[1]?.end.resolve([claimOf(3), claimOf(4)]);
  expect(await Promise.all(second)).toEqual([true, true]);
});

test('of two claims of one run the newer is the holder’s', async () => {
  const { rounds, beginOnly } = createRounds();
  const both = [beginOnly(claimOf(1, 1)), beginOnly(claimOf(1, 2))];
  await settled();
  rounds[0]?.end.resolve([claimOf(1, 2)]);
  expect(await Promise.all(both)).toEqual([false, true]);
});

test('a round that fails has failed for all of it, and the next one is made', async () => {
  const { rounds, beginOnly } = createRounds();
  const first = Promise.allSettled([1, 2].map((id) => beginOnly(claimOf(id))));
  await settled();
  const later = beginOnly(claimOf(3));
  rounds[0]?.end.reject(new Error('away'));
  expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await settled();
  rounds[1]?.end.resolve([claimOf(3)]);
  expect(await later).toBe(true);
});
