// What is stored first of jobs that have ended.
import { expect, test } from 'vitest';
import { createLogger } from '../../../../infra/logger.ts';
import { createHeldJobs } from '../../../../services/job/run/held-jobs.ts';

const mib = 1024 * 1024;

test('large results are stored last, each alone', async () => {
  const sizes = [9 * mib, 3 * mib, 6 * mib, 1 * mib, 20 * mib];
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const held = createHeldJobs({
    places: sizes.length,
    limitMs: 60_000,
    work: async ({ claim: { id } }) => ({ ok: true, result: Buffer.alloc(sizes[Number(id)] ?? 0) }),
    onFinished() {
      count += 1;
      if (count === sizes.length) resolve();
    },
    logger: createLogger('test', 'silent'),
  });
  for (const id of sizes.keys()) {
    const claim = { id: String(id), attempt: 1 };
    const rest = { request: undefined, isStopWanted: false, lapses: 0 };
    held.take({ claim, taskId: String(id), type: 'bod_pasta', ...rest }, performance.now());
  }
  await ended;
  const order: string[][] = [];
  for (let batch = held.done(); batch.length > 0; batch = held.done()) {
    order.push(batch.map(({ claim }) => claim.id));
    held.drop(batch.map(({ claim }) => claim));
  }
  expect(order).toEqual([['1', '3'], ['2'], ['0'], ['4']]);
});
