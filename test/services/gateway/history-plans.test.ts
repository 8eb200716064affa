// Queries of the history while the planner knows little of the tables, and those that take too long.
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { taskResultGetRequestSchema } from '../../../contracts/task-result.ts';
import { taskSlotGetRequestSchema } from '../../../contracts/task-slot.ts';
import { createDatabase, type Database } from '../../../infra/database/database.ts';
import { limitStatements } from '../../../infra/database/limit-statements.ts';
import type { Tables } from '../../../infra/database/tables.ts';
import { createLogger } from '../../../infra/logger.ts';
import { selectResults } from '../../../services/gateway/result-store.ts';
import { countResults, createSlotStore, selectSlots } from '../../../services/gateway/slot-store.ts';
import { createTestDatabase, type TestDatabase } from '../../helpers/postgres.ts';
import { nodeTypes, planNodes } from './explained-plan.ts';
import { createDays, dayS, execute, insertResults, insertSlots } from './history-rows.ts';

let testDatabase: TestDatabase;
let database: Database;
const request = taskSlotGetRequestSchema.parse({ limit: 1000 });

beforeAll(async () => {
  testDatabase = await createTestDatabase();
  const logger = createLogger('test', 'silent');
  database = createDatabase({ url: testDatabase.url, maxConnections: 2, logger });
  await execute(testDatabase, ...createDays(4));
});

afterAll(async () => {
  await database.stop();
  await testDatabase.drop();
});

describe('while the statistics say that the day is small and of one slot', () => {
  /** Analysed with a few rows of one slot, before 100,000 of another task came in; the database does not know of them. */
  beforeAll(() =>
    execute(
      testDatabase,
      'alter table probe_result_day_1 set (autovacuum_enabled = off)',
      insertResults({
        slot: `generate_series(${dayS + 1}, ${dayS + 1})`,
        task: 'generate_series(900, 900)',
        agent: 'generate_series(1, 3)',
        cell: 'generate_series(0, 999)',
      }),
      'analyze probe_result_day_1',
      insertSlots({
        slot: `generate_series(${dayS}, ${dayS + 9990}, 10)`,
        task: 'generate_series(8, 8)',
        cells: 100,
      }),
      insertResults({
        slot: `generate_series(${dayS}, ${dayS + 9990}, 10)`,
        task: 'generate_series(8, 8)',
        agent: 'generate_series(1, 10)',
        cell: 'generate_series(0, 9)',
      }),
    ),
  );

  test('the results of each slot are read by their key, and a page of 1,000 slots is counted at once', async () => {
    const slots = await database.run((db) => selectSlots(db, request).execute());
    expect(slots).toHaveLength(1000);
    const explain = async (db: Kysely<Tables>) =>
      planNodes(await countResults(db, slots).explain('json')).filter(
        (node) => node['Relation Name'] === 'probe_result_day_1',
      );
    // What the planner would do by itself: otherwise this test shows nothing.
    expect(nodeTypes(await database.run(explain))).toEqual(['Seq Scan']);
    const [node, ...others] = await database.transact(async (db) => {
      await limitStatements(db);
      return explain(db);
    });
    expect(others).toEqual([]);
    expect(node).toMatchObject({ 'Node Type': expect.stringMatching(/^Index (Only )?Scan$/) });
    expect(node?.['Index Cond']).toMatch(/scheduled_at = slot.scheduled_at.*task_id = slot.task_id/);
    expect(node?.['Index Name']).toMatch(/_(pkey|task_id_.*)$/);

    const startedAt = performance.now();
    const page = await createSlotStore(database, () => 1024 * 1024).list(request);
    expect(performance.now() - startedAt).toBeLessThan(3000);
    expect(page.slots.map(({ done, lost }) => done + lost)).toEqual(Array(1000).fill(100));
  });

  test('a page of results is still a stretch of an index', async () => {
    const filters = [
      { task_id: '8' },
      { task_id: '8', status: 'TIMEOUT' },
      { agent_id: 'agent-1' },
      { domain: 'n80.example' },
    ];
    for (const filter of filters) {
      const nodes = await database.transact(async (db) => {
        await limitStatements(db);
        return planNodes(await selectResults(db, taskResultGetRequestSchema.parse(filter)).explain('json'));
      });
      expect(nodeTypes(nodes)).toEqual(['Index Scan', 'Limit', 'Merge Append']);
    }
  });
});

test('a statement that takes too long is ended on the server', async () => {
  const [limit] = await database.transact(async (db) => {
    await limitStatements(db);
    return (
      await sql<{
        ms: string;
      }>`select setting as ms from pg_settings where name = 'statement_timeout'`.execute(db)
    ).rows;
  });
  expect(Number(limit?.ms)).toBeGreaterThan(1000);
  expect(Number(limit?.ms)).toBeLessThan(8000);
  // It ends with the transaction: the next piece of work on this connection has its own limits.
  const after = await database.run(async (db) => (await sql`show statement_timeout`.execute(db)).rows);
  expect(after).toEqual([{ statement_timeout: '0' }]);
});
