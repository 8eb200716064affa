// Services as real processes on one database, with what tests ask of that database.
import { Pool, type QueryResultRow } from 'pg';
import { onTestFinished } from 'vitest';
import { keepUntilTestEnd } from './cleanup.ts';
import { createTestDatabase } from './postgres.ts';
import { spawnService, type TestService } from './processes.ts';

export type ServicePlatform = {
  databaseUrl: string;
  query<Row extends QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** The first column of the first row. */
  readNumber(sql: string, values?: unknown[]): Promise<number>;
  start(name: string, env: Record<string, string>): Promise<TestService>;
};

/**
 * On a fresh database of the run's Postgres unless a URL is given. What is started here ends with the present test; what
 * ended before that counts as stopped.
 */
export async function createServicePlatform(options: {
  natsUrl: string;
  databaseUrl?: string;
}): Promise<ServicePlatform> {
  const databaseUrl = options.databaseUrl ?? (await createDatabaseUntilTestEnd());
  const pool = new Pool({ connectionString: databaseUrl, max: 2 });
  // Tests end connections and servers on purpose; the next query opens a new one.
  pool.on('error', () => undefined);
  onTestFinished(() => pool.end());

  async function query<Row extends QueryResultRow>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await pool.query<Row>(sql, values)).rows;
  }
  return {
    databaseUrl,
    query,
    async readNumber(sql, values = []) {
      const [row] = await query<Record<string, unknown>>(sql, values);
      return Number(Object.values(row ?? {})[0]);
    },
    async start(name, env) {
      const common = { NATS_URL: options.natsUrl, DATABASE_URL: databaseUrl };
      const service = await spawnService(name, { ...common, ...env });
      let hasEnded = false;
      void service.exited.then(() => {
        hasEnded = true;
      });
      keepUntilTestEnd({ stop: async () => (hasEnded ? undefined : service.stop()) });
      return service;
    },
  };
}

async function createDatabaseUntilTestEnd(): Promise<string> {
  const database = await createTestDatabase();
  onTestFinished(database.drop);
  return database.url;
}
