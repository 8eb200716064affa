// Transactions that get in each other's way, on a real Postgres.
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { transactAgain } from '../../../../services/crontab/api/transact-again.ts';
import { useCrontabTables } from '../crontab-tables.ts';

const tables = useCrontabTables();

test('of two that wait for each other both are done', async () => {
  const ids = [await tables.addTask(), await tables.addTask()];
  const bothLocked = createMeeting(2);
  const { promise: oneDone, resolve } = Promise.withResolvers<void>();
  let begun = 0;
  const changeBoth = (first = '', second = '') =>
    transactAgain(tables.database, async (db) => {
      begun += 1;
      const isFirstTry = begun <= 2;
      // Else it may take its first row before the other one, which waits for it, has been woken up.
      if (!isFirstTry) await oneDone;
      await sql`update crontab_task set module = module + 1 where task_id = ${first}`.execute(db);
      if (isFirstTry) await bothLocked();
      await sql`update crontab_task set module = module + 1 where task_id = ${second}`.execute(db);
    }).then(resolve);
  await Promise.all([changeBoth(ids[0], ids[1]), changeBoth(ids[1], ids[0])]);
  expect(begun).toBe(3);
  for (const id of ids) expect((await tables.readTask(id)).module).toBe(3);
});

/** Resolves for all when so many have come. */
function createMeeting(size: number): () => Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let come = 0;
  return () => {
    come += 1;
    if (come === size) resolve();
    return promise;
  };
}

test('what fails again and again is given up', async () => {
  await tables.addTask({ name: 'a' });
  const id = await tables.addTask();
  let tries = 0;
  const work = transactAgain(tables.database, async (db) => {
    tries += 1;
    await sql`update crontab_task set name = 'a' where task_id = ${id}`.execute(db);
  });
  await expect(work).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(tries).toBe(5);
});

test('another fault is thrown as it is, at once', async () => {
  let tries = 0;
  const work = transactAgain(tables.database, async (db) => {
    tries += 1;
    await sql`select 1 / 0`.execute(db);
  });
  await expect(work).rejects.toThrow('division by zero');
  expect(tries).toBe(1);
});
