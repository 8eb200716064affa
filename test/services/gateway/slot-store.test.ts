// Slots and what came of them, on a real Postgres.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { type TaskSlot, taskSlotGetRequestSchema } from '../../../contracts/task-slot.ts';
import { createDatabase, type Database } from '../../../infra/database/database.ts';
import { createLogger } from '../../../infra/logger.ts';
import {
  countResults,
  createSlotStore,
  type SlotStore,
  selectSlots,
} from '../../../services/gateway/slot-store.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { nodeTypes, planNodes } from './explained-plan.ts';
import { createDays, dayS, execute, firstDayS, insertResults, insertSlots } from './history-rows.ts';

let testDatabase: TestDatabase;
let database: Database;
let store: SlotStore;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const logger = createLogger('test', 'silent');
  database = createDatabase({ url: testDatabase.url, maxConnections: 2, logger });
  store = createSlotStore(database, () => 1024 * 1024);
  await execute(testDatabase, ...createDays(4));
});

afterAll(async () => {
  await database.stop();
  await testDatabase.drop();
});

beforeEach(() => execute(testDatabase, 'truncate probe_slot', 'truncate probe_result'));

const request = (fields: z.input<typeof taskSlotGetRequestSchema> = {}) =>
  taskSlotGetRequestSchema.parse(fields);
const keyOf = ({ scheduled_at, task_id }: TaskSlot) => `${scheduled_at} ${task_id}`;

/** The slots of every page, page by page. */
async function readPages(fields: z.input<typeof taskSlotGetRequestSchema>): Promise<TaskSlot[][]> {
  const pages: TaskSlot[][] = [];
  let cursor: string | null = null;
  do {
    const page = await store.list(request({ ...fields, cursor }));
    pages.push(page.slots);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return pages;
}

describe('what came of a slot', () => {
  test('is counted from its own results: done, late, lost, expired, and the rest is pending', async () => {
    await execute(
      testDatabase,
      insertSlots({ slot: 'generate_series(0, 0)', task: 'generate_series(7, 7)', cells: 12 }),
      // Results of its neighbours: the next slot, the previous day, another task.
      ...['generate_series(600, 600)', `generate_series(${dayS}, ${dayS})`].map((slot) =>
        insertResults({
          slot,
          task: 'generate_series(7, 7)',
          agent: 'generate_series(1, 2)',
          cell: 'generate_series(0, 5)',
        }),
      ),
      insertResults({
        slot: 'generate_series(0, 0)',
        task: 'generate_series(7, 8)',
        agent: 'generate_series(1, 2)',
        cell: 'generate_series(0, 3)',
      }),
      `update probe_result set status = 'NOERROR' where status = 'LOST'`,
      `update probe_slot set missed = 3, skipped = '[{"reason": "AGENT_AWAY", "count": 1, "ids": ["far"]}]'`,
      // Of the eight: two done in time, two late (a timeout is an outcome), two lost, two expired. What is late is late
      // only with an outcome.
      ...[
        ['agent-1', 0, 'NOERROR', 60],
        ['agent-1', 1, 'SERVFAIL', 59.9],
        ['agent-1', 2, 'NOERROR', 60.001],
        ['agent-1', 3, 'TIMEOUT', 500],
        ['agent-2', 0, 'LOST', 90],
        ['agent-2', 1, 'LOST', 30],
        ['agent-2', 2, 'EXPIRED', 60],
        ['agent-2', 3, 'EXPIRED', 61],
      ].map(
        ([agent, cell, status, afterS]) => `
          update probe_result set status = '${status}', finished_at = scheduled_at + interval '${afterS} seconds'
          where scheduled_at = to_timestamp(${firstDayS}) and task_id = 7 and agent_id = '${agent}' and cell = ${cell}`,
      ),
    );
    expect(await store.list(request())).toEqual({
      slots: [
        {
          task_id: '7',
          scheduled_at: '2026-09-20T00:00:00.000Z',
          planned_at: '2026-09-20T00:00:00.250Z',
          expires_at: '2026-09-20T00:01:00.000Z',
          missed: 3,
          agents: 2,
          runs: 4,
          cells: 12,
          done: 4,
          late: 2,
          lost: 2,
          expired: 2,
          pending: 4,
          skipped: [{ reason: 'AGENT_AWAY', count: 1, ids: ['far'] }],
        },
      ],
      next_cursor: null,
    });
  });

  test('is nothing yet while there are no results, and never less than nothing pending', async () => {
    await execute(
      testDatabase,
      insertSlots({ slot: 'generate_series(0, 0)', task: 'generate_series(1, 2)', cells: 3 }),
      insertResults({
        slot: 'generate_series(0, 0)',
        task: 'generate_series(1, 1)',
        agent: 'generate_series(1, 1)',
        cell: 'generate_series(0, 4)',
      }),
      `update probe_result set status = 'NOERROR'`,
    );
    const { slots } = await store.list(request());
    expect(slots.map(({ task_id, done, pending }) => [task_id, done, pending])).toEqual([
      ['2', 0, 3],
      ['1', 5, 0],
    ]);
  });
});

describe('slots', () => {
  test('come newest first, page by page, each once', async () => {
    await execute(
      testDatabase,
      insertSlots({
        slot: `generate_series(0, ${5 * dayS - 1}, ${dayS / 10})`,
        task: 'generate_series(1, 20)',
        cells: 1,
      }),
    );
    const pages = await readPages({ limit: 333 });
    expect(pages.map((page) => page.length)).toEqual([333, 333, 333, 1]);
    const slots = pages.flat();
    expect(slots.slice(0, 2).map(keyOf)).toEqual([
      '2026-09-24T21:36:00.000Z 20',
      '2026-09-24T21:36:00.000Z 19',
    ]);
    const inOrder = slots.toSorted(
      (a, b) => b.scheduled_at.localeCompare(a.scheduled_at) || Number(b.task_id) - Number(a.task_id),
    );
    expect(slots.map(keyOf)).toEqual(inOrder.map(keyOf));
    expect(new Set(slots.map(keyOf)).size).toBe(1000);
    expect((await readPages({ limit: 1000 })).map((page) => page.length)).toEqual([1000]);
  });

  test('are chosen by task and time', async () => {
    await execute(
      testDatabase,
      insertSlots({ slot: 'generate_series(0, 540, 60)', task: 'generate_series(1, 3)', cells: 1 }),
    );
    const count = async (fields: z.input<typeof taskSlotGetRequestSchema>) =>
      (await readPages({ ...fields, limit: 4 })).flat().length;
    expect(await count({})).toBe(30);
    expect(await count({ task_id: '2' })).toBe(10);
    expect(await count({ task_id: '4' })).toBe(0);
    expect(await count({ from: firstDayS + 60, to: firstDayS + 180 })).toBe(6);
    expect(await count({ task_id: '2', from: '2026-09-20T08:08:00+08:00' })).toBe(2);
  });

  test('of many cells make a page short, and one of too many has a page of its own', async () => {
    await execute(
      testDatabase,
      insertSlots({ slot: 'generate_series(0, 0)', task: 'generate_series(1, 5)', cells: 40_000 }),
      'update probe_slot set cells = 900000 where task_id = 2',
    );
    const pages = await readPages({});
    expect(pages.map((page) => page.map(({ task_id }) => task_id))).toEqual([
      ['5', '4'],
      ['3'],
      ['2'],
      ['1'],
    ]);
  });

  test('that would not fit into one message make a page short; one alone is a page, however large', async () => {
    const maxOctets = 20_000;
    const small = createSlotStore(database, () => maxOctets);
    await execute(
      testDatabase,
      insertSlots({ slot: 'generate_series(0, 590, 10)', task: 'generate_series(1, 1)', cells: 1 }),
      `update probe_slot set skipped = (
         select jsonb_agg(jsonb_build_object('reason', 'LATER_' || n, 'count', 1, 'ids', '["电信"]'::jsonb))
         from generate_series(1, 500) n)
       where scheduled_at = to_timestamp(${firstDayS + 300})`,
    );
    const sizes: number[] = [];
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await small.list(request({ cursor }));
      const octets = Buffer.byteLength(JSON.stringify(page));
      if (page.slots.length > 1) expect(octets).toBeLessThanOrEqual(maxOctets);
      sizes.push(page.slots.length);
      seen.push(...page.slots.map(keyOf));
      cursor = page.next_cursor;
    } while (cursor !== null);
    expect(seen).toHaveLength(60);
    expect(new Set(seen).size).toBe(60);
    expect(sizes).toEqual([29, 1, 30]);
  });

  test('tell how many were skipped, and the ids of the first 100', async () => {
    await execute(
      testDatabase,
      insertSlots({ slot: 'generate_series(0, 0)', task: 'generate_series(1, 1)', cells: 0 }),
      `update probe_slot set skipped = jsonb_build_array(
         '{"reason": "OVERLAP", "count": 5000, "ids": ["a"]}'::jsonb,
         '{"reason": "CHANGED", "count": 0, "ids": []}'::jsonb,
         -- As rows of earlier versions are.
         jsonb_build_object('reason', 'AGENT_AWAY', 'ids', (select jsonb_agg('a' || n) from generate_series(1, 150) n)))`,
    );
    const { slots } = await store.list(request());
    expect(slots[0]?.skipped).toEqual([
      { reason: 'OVERLAP', count: 5000, ids: ['a'] },
      { reason: 'CHANGED', count: 0, ids: [] },
      { reason: 'AGENT_AWAY', count: 150, ids: Array.from({ length: 100 }, (_, index) => `a${index + 1}`) },
    ]);
  });

  test.each(['nowhere', encode(['2026-09-20', '1']), encode(['2026-09-20T00:00:00.000Z', 1])])(
    'are refused for the cursor %s, which no reply gave',
    async (cursor) => {
      await expect(store.list(request({ cursor }))).rejects.toMatchObject({
        code: 'INVALID_REQUEST',
        details: { faults: [{ path: 'cursor' }] },
      });
    },
  );
});

test('a page is a stretch of an index, and its results are one stretch for each slot', async () => {
  const slot = `generate_series(0, ${4 * dayS - 1}, ${dayS / 10})`;
  const task = 'generate_series(1, 20)';
  await execute(
    testDatabase,
    insertSlots({ slot, task, cells: 10 }),
    insertResults({ slot, task, agent: 'generate_series(1, 5)', cell: 'generate_series(0, 1)' }),
    'analyze probe_slot',
    'analyze probe_result',
  );
  const cursor = encode(['2026-09-22T12:00:00.000Z', '10']);
  for (const fields of [{}, { cursor }, { task_id: '7', limit: 5 }]) {
    const chosen = await database.run((db) => selectSlots(db, request(fields)).explain('json'));
    expect(nodeTypes(planNodes(chosen))).not.toContain('Seq Scan');
  }
  const slots = await database.run((db) => selectSlots(db, request({ cursor })).execute());
  const nodes = planNodes(await database.run((db) => countResults(db, slots).explain('json')));
  expect(nodeTypes(nodes)).toEqual([
    'Aggregate',
    'Append',
    'Function Scan',
    'Index Scan',
    'Nested Loop',
    'Seq Scan',
  ]);
});

function encode(position: unknown): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}
