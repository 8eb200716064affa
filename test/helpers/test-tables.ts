// A database for the tests of one file; emptied before each test.
import type { RawBuilder } from 'kysely';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { createDatabase, type Database } from '../../infra/database/database.ts';
import { createTestDatabase, type TestDatabase } from './postgres.ts';

export type TestTables = {
  readonly database: Database;
  readonly url: string;
  /** What was logged since the test began. */
  readonly logged: { level: number; msg: string; [field: string]: unknown }[];
  readonly logger: pino.Logger;
  query<Row>(statement: RawBuilder<Row>): Promise<Row[]>;
  /** The first row; throws without one. */
  one<Row>(statement: RawBuilder<Row>): Promise<Row>;
};

/** To be called at the top of a test file; `empty` is run before each test. */
export function useTestTables(
  empty: readonly RawBuilder<unknown>[],
  { maxConnections = 8 }: { maxConnections?: number } = {},
): TestTables {
  let testDatabase: TestDatabase;
  let database: Database;
  const logged: TestTables['logged'] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void logged.push(JSON.parse(line)) });

  beforeAll(async () => {
    testDatabase = await createTestDatabase();
    database = createDatabase({ url: testDatabase.url, maxConnections, logger });
  });
  afterAll(async () => {
    await database.stop();
    await testDatabase.drop();
  });
  beforeEach(async () => {
    logged.length = 0;
    for (const statement of empty) await query(statement);
  });

  async function query<Row>(statement: RawBuilder<Row>): Promise<Row[]> {
    return database.run(async (db) => (await statement.execute(db)).rows);
  }

  return {
    get database() {
      return database;
    },
    get url() {
      return testDatabase.url;
    },
    logged,
    logger,
    query,
    async one(statement) {
      const [row] = await query(statement);
      if (row === undefined) throw new Error('there is no such row');
      return row;
    },
  };
}
