// The history on a real Postgres with 50,000 rows: every page of every filter, and how Postgres finds them.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { taskResultGetRequestSchema } from '../../../contracts/task-result.ts';
import { createDatabase, type Database } from '../../../infra/database/database.ts';
import { limitStatements } from '../../../infra/database/limit-statements.ts';
import { createLogger } from '../../../infra/logger.ts';
import {
  createResultStore,
  type ResultStore,
  selectResults,
} from '../../../services/gateway/result-store.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { nodeTypes, type PlanNode, planNodes } from './explained-plan.ts';
import { createDays, dayS, execute, firstDayS, insertResults } from './history-rows.ts';

let testDatabase: TestDatabase;
let database: Database;
let store: ResultStore;
/** Every row by what the filters look at, in the order of the pages. */
let all: Row[];

type Row = { scheduled_at: string; task_id: string; agent_id: string; domain: string; status: string };
type Filter = z.input<typeof taskResultGetRequestSchema>;

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const logger = createLogger('test', 'silent');
  database = createDatabase({ url: testDatabase.url, maxConnections: 2, logger });
  store = createResultStore(database, () => 1024 * 1024);
  await execute(
    testDatabase,
    ...createDays(4),
    // 20 slots over five days, of which the last lies in the default partition; 25 tasks, 10 agents, 10 cells.
    insertResults({
      slot: `generate_series(0, ${5 * dayS - 1}, ${dayS / 4})`,
      task: 'generate_series(1, 25)',
      agent: 'generate_series(1, 10)',
      cell: 'generate_series(0, 9)',
    }),
    'analyze probe_result',
  );
  const stored = await database.run((db) =>
    db
      .selectFrom('probe_result')
      .select(['scheduled_at', 'task_id', 'agent_id', 'domain', 'status'])
      .orderBy('scheduled_at', 'desc')
      .orderBy('task_id', 'desc')
      .orderBy('agent_id', 'desc')
      .orderBy('cell', 'desc')
      .execute(),
  );
  all = stored.map((row) => ({ ...row, scheduled_at: row.scheduled_at.toISOString() }));
}, 60_000);

afterAll(async () => {
  await database.stop();
  await testDatabase.drop();
});

/** Every row of every page; `afterPage` runs after each of them. */
async function readPages(filter: Filter, afterPage?: () => Promise<void>): Promise<Row[]> {
  const rows: Row[] = [];
  let cursor: string | null = null;
  do {
    const page = await store.list(taskResultGetRequestSchema.parse({ ...filter, cursor }));
    for (const { scheduled_at, task_id, agent_id, domain, dns_response_status: status } of page.results) {
      rows.push({ scheduled_at, task_id, agent_id, domain, status });
    }
    cursor = page.next_cursor;
    await afterPage?.();
  } while (cursor !== null);
  return rows;
}

function expected({ task_id, agent_id, domain, status, from, to }: Filter): Row[] {
  return all.filter(
    (row) =>
      (task_id == null || row.task_id === task_id) &&
      (agent_id == null || row.agent_id === agent_id) &&
      (domain == null || row.domain === domain) &&
      (status == null || row.status === status) &&
      (typeof from !== 'number' || Date.parse(row.scheduled_at) >= from * 1000) &&
      (typeof to !== 'number' || Date.parse(row.scheduled_at) < to * 1000),
  );
}

const parts = [
  { task_id: '7' },
  { agent_id: 'agent-2' },
  { domain: 'n63.example' },
  { status: 'TIMEOUT' },
  { from: firstDayS + dayS / 2, to: firstDayS + 3 * dayS },
];
const combinations = Array.from(
  { length: 2 ** parts.length },
  (_, mask): Filter => Object.assign({}, ...parts.filter((_part, index) => mask & (1 << index))),
);

describe('pages by cursor', () => {
  test.each([...combinations, { status: 'LOST' }, { status: 'NOERROR', task_id: '7' }])(
    'give each row of %j once, in order',
    async (filter) => {
      const rows = expected(filter);
      expect(rows.length).toBeGreaterThan(0);
      const limit = Math.min(1000, Math.ceil(rows.length / 7));
      expect(await readPages({ ...filter, limit })).toEqual(rows);
    },
  );

  test('give each row once while newer ones come in', async () => {
    let slot = 6 * dayS;
    const rows = await readPages({ task_id: '7', limit: 300 }, async () => {
      slot += 600;
      await execute(
        testDatabase,
        insertResults({
          slot: `generate_series(${slot}, ${slot})`,
          task: 'generate_series(6, 8)',
          agent: 'generate_series(1, 10)',
          cell: 'generate_series(0, 9)',
        }),
      );
    });
    await execute(
      testDatabase,
      `delete from probe_result where scheduled_at >= to_timestamp(${firstDayS + 6 * dayS})`,
    );
    expect(rows).toEqual(expected({ task_id: '7' }));
  });

  test('go on from where they are, whatever other filter they are used with', async () => {
    const { next_cursor: cursor } = await store.list(
      taskResultGetRequestSchema.parse({ task_id: '7', agent_id: 'agent-2', limit: 4 }),
    );
    const last = expected({ task_id: '7', agent_id: 'agent-2' })[3];
    const position = all.findIndex(
      (row) =>
        row.scheduled_at === last?.scheduled_at &&
        row.task_id === '7' &&
        row.agent_id === 'agent-2' &&
        row.domain === last.domain,
    );
    for (const task_id of ['6', '7', '8', undefined]) {
      const page = await store.list(taskResultGetRequestSchema.parse({ task_id, cursor, limit: 500 }));
      const rest = all.slice(position + 1).filter((row) => task_id === undefined || row.task_id === task_id);
      expect(
        page.results.map(({ scheduled_at, task_id, agent_id, domain }) => [
          scheduled_at,
          task_id,
          agent_id,
          domain,
        ]),
      ).toEqual(
        rest
          .slice(0, 500)
          .map(({ scheduled_at, task_id, agent_id, domain }) => [scheduled_at, task_id, agent_id, domain]),
      );
    }
  });

  test('end a page where a message is full, and lose no row', async () => {
    const maxOctets = 10_000;
    const small = createResultStore(database, () => maxOctets);
    const domains: string[] = [];
    let cursor: string | null = null;
    let pages = 0;
    do {
      const page = await small.list(
        taskResultGetRequestSchema.parse({ task_id: '7', agent_id: 'agent-2', cursor }),
      );
      expect(Buffer.byteLength(JSON.stringify(page))).toBeLessThanOrEqual(maxOctets);
      domains.push(...page.results.map(({ domain }) => domain));
      cursor = page.next_cursor;
      pages += 1;
    } while (cursor !== null);
    expect(domains).toEqual(expected({ task_id: '7', agent_id: 'agent-2' }).map(({ domain }) => domain));
    expect(pages).toBeGreaterThan(5);
    const tiny = createResultStore(database, () => 1);
    const { results, next_cursor } = await tiny.list(taskResultGetRequestSchema.parse({}));
    expect(results).toHaveLength(1);
    expect(next_cursor).not.toBeNull();
  });

  test.each([
    'nowhere',
    'W10',
    encode(['2026-09-21T14:52:20.000Z', '1', 'one', -1]),
    encode(['2026-09-21T14:52:20.000Z', '1', 'one', 2 ** 31]),
    encode(['2026-09-21T14:52:20.000Z', '1', 'o\u0000ne', 0]),
    encode(['2026-02-31T14:52:20.000Z', '1', 'one', 0]),
    encode({ scheduled_at: '2026-09-21T14:52:20.000Z' }),
  ])('are refused for %s, which no reply gave', async (cursor) => {
    await expect(store.list(taskResultGetRequestSchema.parse({ cursor }))).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { faults: [{ path: 'cursor' }] },
    });
  });

  function encode(position: unknown): string {
    return Buffer.from(JSON.stringify(position)).toString('base64url');
  }
});

describe('a row', () => {
  test('has its lag where there was one, and when it was finished', async () => {
    await execute(
      testDatabase,
      `update probe_result set lag_ms = 3.5, delay_ms = 4 where task_id = 9 and agent_id = 'agent-1' and cell = 0`,
    );
    const page = await store.list(
      taskResultGetRequestSchema.parse({ task_id: '9', agent_id: 'agent-1', limit: 10 }),
    );
    const [withLag, ...others] = page.results.toReversed();
    expect(withLag).toMatchObject({
      delay: 4,
      lag: 3.5,
      scheduled_at: '2026-09-24T18:00:00.000Z',
      finished_at: '2026-09-24T18:00:02.000Z',
      device: { country: '86', carrier: 'x' },
      answer_section: [{ result: '192.0.2.1' }],
    });
    for (const other of others) expect(other).not.toHaveProperty('lag');
  });

  test('that was stored without its place has an empty one', async () => {
    await execute(
      testDatabase,
      `update probe_result set device = '{"city": "2"}' where task_id = 10 and agent_id = 'agent-1' and cell = 9`,
    );
    const { results } = await store.list(
      taskResultGetRequestSchema.parse({ task_id: '10', agent_id: 'agent-1', limit: 1 }),
    );
    expect(results[0]?.device).toEqual({ country: '', province: '', city: '2', carrier: '' });
  });
});

describe('each page is a stretch of an index', () => {
  async function explain(filter: Filter): Promise<PlanNode[]> {
    const request = taskResultGetRequestSchema.parse(filter);
    return database.transact(async (db) => {
      await limitStatements(db);
      return planNodes(await selectResults(db, request).explain('json'));
    });
  }

  const inSlot = Buffer.from(JSON.stringify(['2026-09-22T06:00:00.000Z', '7', 'agent-2', 5])).toString(
    'base64url',
  );

  test.each<Filter>([
    {},
    { task_id: '7' },
    { agent_id: 'agent-2' },
    { domain: 'n63.example' },
    { status: 'TIMEOUT' },
    { task_id: '7', status: 'TIMEOUT' },
    { task_id: '999' },
    { from: firstDayS + dayS, to: firstDayS + 2 * dayS },
  ])('for %j, from the first page on and from a cursor on', async (filter) => {
    for (const cursor of [undefined, inSlot]) {
      const nodes = await explain({ ...filter, cursor });
      const isOfSeveralDays = nodes.some((node) => node['Node Type'] === 'Merge Append');
      expect(nodeTypes(nodes)).toEqual(['Index Scan', 'Limit', ...(isOfSeveralDays ? ['Merge Append'] : [])]);
      for (const node of nodes.filter((node) => node['Node Type'] === 'Index Scan')) {
        // What a filter throws away after it was read would make a page as slow as a slot is large.
        expect(node.Filter).toBeUndefined();
        expect(node['Index Cond']).toContain('ROW(');
      }
    }
  });
});
