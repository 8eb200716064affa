// What an update of a task does to its schedule, seen in the row.
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TaskUpdateRequest, taskCreateRequestSchema } from '../../../contracts/task.ts';
import { createDatabase, type Database } from '../../../infra/database/database.ts';
import { createLogger } from '../../../infra/logger.ts';
import { createTaskStore, type TaskStore } from '../../../services/gateway/task-store.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { execute } from './history-rows.ts';

let testDatabase: TestDatabase;
let database: Database;
let store: TaskStore;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const logger = createLogger('test', 'silent');
  database = createDatabase({ url: testDatabase.url, maxConnections: 4, logger });
  store = createTaskStore(database, () => false);
});

afterAll(async () => {
  await database.stop();
  await testDatabase.drop();
});

type Change = Omit<TaskUpdateRequest, 'task_id'>;

const sought = -Infinity;
const never = Infinity;
const overdue = new Date('2020-01-01T00:00:00Z');
const ahead = new Date('2999-01-01T00:00:00Z');
const lastAt = new Date('2019-12-31T00:00:00Z');

/** A stored task with this status and schedule, last changed in 2019. */
async function storeTask(fields: {
  status: 0 | 1;
  next_at: Date | number;
  cycle?: number;
  task_time?: [string, string] | null;
}): Promise<string> {
  const { next_at, ...rest } = fields;
  const target = [{ type: 'domain', data: 'x.example' }];
  const { task_id } = await store.create(taskCreateRequestSchema.parse({ cycle: 60, target, ...rest }));
  const next = next_at instanceof Date ? next_at.toISOString() : next_at < 0 ? '-infinity' : 'infinity';
  await execute(
    testDatabase,
    `update probe_task set next_at = '${next}', last_at = '${lastAt.toISOString()}', updated_at = '2019-01-01'
     where task_id = ${task_id}`,
  );
  return task_id;
}

async function readRow(taskId: string) {
  return database.run((db) =>
    db
      .selectFrom('probe_task')
      .select(['next_at', 'last_at', 'updated_at', 'cycle', 'status'])
      .where('task_id', '=', taskId)
      .executeTakeFirstOrThrow(),
  );
}

test('a new task waits for the scheduler to find its first slot', async () => {
  const target = [{ type: 'domain', data: 'x.example' }];
  const { task_id } = await store.create(taskCreateRequestSchema.parse({ cycle: 60, target }));
  expect(await readRow(task_id)).toMatchObject({ next_at: sought, last_at: null });
});

describe.each<[string, 0 | 1, Change, [Date | number, Date | number][]]>([
  [
    'resuming a task lets its next slot be sought, whatever it was',
    0,
    { status: 1 },
    [
      [ahead, sought],
      [overdue, sought],
      [never, sought],
      [sought, sought],
    ],
  ],
  [
    'resuming it with another cycle does the same',
    0,
    { status: 1, cycle: 90 },
    [
      [ahead, sought],
      [overdue, sought],
    ],
  ],
  [
    'enabling a task that is enabled leaves its next slot',
    1,
    { status: 1 },
    [
      [ahead, ahead],
      [overdue, overdue],
      [never, never],
    ],
  ],
  [
    'pausing leaves it',
    1,
    { status: 0 },
    [
      [ahead, ahead],
      [overdue, overdue],
    ],
  ],
  [
    'another cycle lets it be sought, unless it is due already',
    1,
    { cycle: 90 },
    [
      [ahead, sought],
      [never, sought],
      [sought, sought],
      [overdue, overdue],
    ],
  ],
  ['the same cycle leaves it', 1, { cycle: 60 }, [[ahead, ahead]]],
  [
    'another window lets it be sought, unless it is due already',
    1,
    { task_time: ['08:00', '21:00'] },
    [
      [ahead, sought],
      [never, sought],
      [overdue, overdue],
    ],
  ],
  ['no window any more lets it be sought', 1, { task_time: null }, [[ahead, sought]]],
  ['the same window leaves it', 1, { task_time: ['08:00', '20:00'] }, [[ahead, ahead]]],
  [
    'the same cycle and another window let it be sought',
    1,
    { cycle: 60, task_time: null },
    [[ahead, sought]],
  ],
  [
    'other fields leave it',
    1,
    {
      uid: 'x',
      pinned: true,
      target: [{ type: 'domain', rtype: 'A', data: 'y.example' }],
      probe_data: { dns_servers: ['192.0.2.1'] },
    },
    [
      [ahead, ahead],
      [overdue, overdue],
      [never, never],
    ],
  ],
  ['nothing at all leaves it', 1, {}, [[ahead, ahead]]],
])('%s', (_, status, change, cases) => {
  test.each(cases)('from %s to %s', async (before, after) => {
    const task_id = await storeTask({ status, next_at: before, task_time: ['08:00', '20:00'] });
    await store.update({ task_id, ...change });
    const row = await readRow(task_id);
    expect(row).toMatchObject({ next_at: after, last_at: lastAt });
    expect(row.updated_at.getTime()).toBeGreaterThan(Date.parse('2026-01-01'));
  });
});

test('a window for a task without one lets its next slot be sought', async () => {
  const task_id = await storeTask({ status: 1, next_at: ahead, task_time: null });
  await store.update({ task_id, task_time: null });
  expect((await readRow(task_id)).next_at).toEqual(ahead);
  await store.update({ task_id, task_time: ['08:00', '20:00'] });
  expect((await readRow(task_id)).next_at).toBe(sought);
});

test('an update that waits for the scheduler sees the slot that it moved on to', async () => {
  const task_id = await storeTask({ status: 1, next_at: overdue });
  const { promise: isLocked, resolve: tellLocked } = Promise.withResolvers<void>();
  const { promise: isWaiting, resolve: tellWaiting } = Promise.withResolvers<void>();
  const scheduler = database.transact(async (db) => {
    await db.selectFrom('probe_task').select('task_id').where('task_id', '=', task_id).forUpdate().execute();
    tellLocked();
    await isWaiting;
    await db.updateTable('probe_task').set({ next_at: ahead }).where('task_id', '=', task_id).execute();
  });
  await isLocked;
  const update = store.update({ task_id, cycle: 90 });
  await waitForLock();
  tellWaiting();
  await Promise.all([scheduler, update]);
  expect(await readRow(task_id)).toMatchObject({ next_at: sought, cycle: 90 });
});

/** Resolves when a statement in this database waits for a lock. */
async function waitForLock(): Promise<void> {
  await expect
    .poll(
      () =>
        database.run(async (db) => {
          const { rows } = await sql`
            select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(
            db,
          );
          return rows.length;
        }),
      { interval: 20, timeout: 10_000 },
    )
    .toBe(1);
}
