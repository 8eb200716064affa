// Databases for tests: each a clone of one template that the migrations have run on.
import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { executeSql, inDatabase } from './execute-sql.ts';

export const templateDatabase = 'probe_template';

export type TestDatabase = {
  url: string;
  /** Fails when connections are still open after five seconds: a pool that was not ended is a fault. */
  drop(): Promise<void>;
};

/** A fresh, migrated database of the run's Postgres. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('postgresUrl');
  const name = `test_${randomBytes(8).toString('hex')}`;
  // File by file: through the write-ahead log the first hundred take ten times as long, while its segments are made.
  await executeSql(adminUrl, `create database ${name} template ${templateDatabase} strategy file_copy`);
  return {
    url: inDatabase(adminUrl, name),
    drop: () => executeSql(adminUrl, `drop database ${name}`),
  };
}

/** Closes the migrated database to connections, which cloning needs, and returns a URL for administration. */
export async function sealTemplate(templateUrl: string): Promise<string> {
  const adminUrl = inDatabase(templateUrl, 'postgres');
  await executeSql(
    adminUrl,
    `alter database ${templateDatabase} with is_template true allow_connections false`,
  );
  return adminUrl;
}
