// Databases for tests: each a clone of one template that the migrations have run on.
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

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
  await execute(adminUrl, `create database ${name} template ${templateDatabase}`);
  return {
    url: inDatabase(adminUrl, name),
    drop: () => execute(adminUrl, `drop database ${name}`),
  };
}

/** Closes the migrated database to connections, which cloning needs, and returns a URL for administration. */
export async function sealTemplate(templateUrl: string): Promise<string> {
  const adminUrl = inDatabase(templateUrl, 'postgres');
  await execute(adminUrl, `alter database ${templateDatabase} with is_template true allow_connections false`);
  return adminUrl;
}

function inDatabase(url: string, name: string): string {
  const other = new URL(url);
  other.pathname = `/${name}`;
  return other.href;
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
