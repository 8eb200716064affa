// Says early, and in one line, that a database given by DATABASE_URL is not there.
import { Client } from 'pg';
import { describeError } from '../error-text.ts';
import { hideLogin } from '../hide-login.ts';
import { StackError } from './stack-error.ts';

const connectTimeoutMs = 5_000;

/** Resolves when the database takes a connection; rejects with `SERVER_FAILED` and the reason otherwise. */
export async function checkDatabaseUrl(databaseUrl: string): Promise<void> {
  try {
    const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: connectTimeoutMs });
    await client.connect();
    await client.end();
  } catch (error) {
    const message = `DATABASE_URL: no connection to ${hideLogin(databaseUrl)}: ${describeError(error)}`;
    throw new StackError('SERVER_FAILED', message, { cause: error });
  }
}
