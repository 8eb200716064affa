// What a change of a task does to its schedule, and what it may refer to, seen in the rows.
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
  store = createTaskStore(
    database,
    () => false,
    () => 0,
  );
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

/** The slots of a task, without the time at which they were written. */
async function readSlots(taskId: string) {
  return database.run((db) =>
    db
      .selectFrom('probe_slot')
      .select(['scheduled_at', 'expires_at', 'agents', 'runs', 'cells', 'missed', 'skipped'])
      .where('task_id', '=', taskId)
      .orderBy('scheduled_at')
      .execute(),
  );
}

const skipped = [{ reason: 'CHANGED', count: 0, ids: [] }];
const changedSlot = { agents: 0, runs: 0, cells: 0, skipped };

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
  ['pausing lets it be sought', 1, { status: 0 }, [[ahead, sought]]],
  [
    'another cycle lets it be sought',
    1,
    { cycle: 90 },
    [
      [ahead, sought],
      [never, sought],
      [sought, sought],
    ],
  ],
  ['the same cycle leaves it', 1, { cycle: 60 }, [[ahead, ahead]]],
  ['another type lets it be sought', 1, { type: 'http' }, [[ahead, sought]]],
  ['the same type leaves it', 1, { type: 'dns' }, [[overdue, overdue]]],
  [
    'another window lets it be sought',
    1,
    { task_time: ['08:00', '21:00'] },
    [
      [ahead, sought],
      [never, sought],
    ],
  ],
  ['no window any more lets it be sought', 1, { task_time: null }, [[ahead, sought]]],
  [
    'the same window leaves it',
    1,
    { task_time: ['08:00', '20:00'] },
    [
      [ahead, ahead],
      [overdue, overdue],
    ],
  ],
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
    expect(await readSlots(task_id)).toEqual([]);
  });
});

describe('what is due and not planned', () => {
  test.each<[string, Change]>([
    ['paused', { status: 0 }],
    ['given another cycle', { cycle: 90 }],
    ['given another window', { task_time: ['08:00', '20:00'] }],
    ['given another type', { type: 'http' }],
    ['made one that runs once', { cycle: 0 }],
  ])('is told in one slot when the task is %s', async (_, change) => {
    const task_id = await storeTask({ status: 1, next_at: overdue, task_time: null });
    await store.update({ task_id, ...change });
    const row = await readRow(task_id);
    const missed = Math.floor((row.updated_at.getTime() - overdue.getTime()) / 60_000);
    const newest = new Date(overdue.getTime() + missed * 60_000);
    const expires_at = new Date(newest.getTime() + 60_000);
    expect(await readSlots(task_id)).toEqual([{ ...changedSlot, scheduled_at: newest, expires_at, missed }]);
    expect(row).toMatchObject({ next_at: sought, last_at: newest });
  });

  test('is told when the task is deleted', async () => {
    const task_id = await storeTask({ status: 1, next_at: overdue });
    const once = await storeTask({ status: 1, next_at: overdue, cycle: 0 });
    await store.delete(task_id);
    await store.delete(once);
    const [slot] = await readSlots(task_id);
    expect(slot).toMatchObject(changedSlot);
    expect(Number(slot?.missed)).toBeGreaterThan(1_000_000);
    const expires_at = new Date(overdue.getTime() + 3_600_000);
    expect(await readSlots(once)).toEqual([{ ...changedSlot, scheduled_at: overdue, expires_at, missed: 0 }]);
    for (const deleted of [task_id, once]) {
      await expect(store.delete(deleted)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    }
  });

  test.each<[string, Parameters<typeof storeTask>[0]]>([
    ['paused', { status: 0, next_at: overdue }],
    ['ahead of its time', { status: 1, next_at: ahead }],
    ['new', { status: 1, next_at: sought }],
    ['done', { status: 1, next_at: never }],
  ])('is nothing in a task that is %s: it leaves no slot when it is deleted', async (_, fields) => {
    const task_id = await storeTask(fields);
    await store.delete(task_id);
    expect(await readSlots(task_id)).toEqual([]);
  });

  test('is not lost in a task that runs once: it has yet to run, when its new schedule lets it', async () => {
    const once = await storeTask({ status: 1, next_at: overdue, cycle: 0 });
    const recurring = await storeTask({ status: 1, next_at: overdue });
    await execute(testDatabase, 'update probe_task set last_at = null');
    await store.update({ task_id: once, task_time: ['08:00', '20:00'] });
    expect(await readRow(once)).toMatchObject({ next_at: sought, last_at: null });
    expect(await readSlots(once)).toEqual([]);
    await store.update({ task_id: recurring, cycle: 0 });
    const row = await readRow(recurring);
    expect(row).toMatchObject({ next_at: sought, last_at: null });
    const [slot, ...others] = await readSlots(recurring);
    expect(slot).toMatchObject(changedSlot);
    expect(slot?.scheduled_at.getTime()).toBeLessThan(row.updated_at.getTime());
    expect(others).toEqual([]);
  });

  test('fails no change when it has a slot already', async () => {
    const task_id = await storeTask({ status: 1, next_at: overdue, cycle: 366 * 24 * 3600 });
    await execute(
      testDatabase,
      `update probe_task set next_at = now() - interval '1 h' where task_id = ${task_id}`,
    );
    await execute(
      testDatabase,
      `insert into probe_slot (scheduled_at, task_id, expires_at, agents, runs, cells, missed, skipped)
       select date_trunc('milliseconds', next_at), task_id, now(), 1, 1, 1, 0, '[]' from probe_task where task_id = ${task_id}`,
    );
    await store.update({ task_id, cycle: 60 });
    expect(await readSlots(task_id)).toMatchObject([{ agents: 1, skipped: [] }]);
    expect(await readRow(task_id)).toMatchObject({ next_at: sought, cycle: 60 });
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

describe('a group', () => {
  const task = (group_id: number) =>
    taskCreateRequestSchema.parse({ cycle: 60, target: [{ type: 'domain', data: 'x.example' }], group_id });

  test('exists while an agent that runs recurring tasks has its id, be it away or not', async () => {
    await expect(store.create(task(41))).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { group_id: 41 },
    });
    await execute(
      testDatabase,
      `insert into agent (agent_id, country, province, city, carrier, groups, resolvers, version)
       values ('away', '86', '1', '1', 'x', '{40, 41}', '{}', '1')`,
    );
    expect(await store.create(task(41))).toMatchObject({ group_id: 41 });
    await expect(store.create(task(42))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  test('exists when it has places', async () => {
    await execute(
      testDatabase,
      `insert into probe_group_detail (group_id, country, province, city, carrier) values (43, '86', '*', '*', '*')`,
    );
    const { task_id } = await store.create(task(43));
    await expect(store.update({ task_id, group_id: 44 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
