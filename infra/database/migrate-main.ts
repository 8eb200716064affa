// `npm run migrate`: migrations on DATABASE_URL.
import { z } from 'zod';
import { ConfigError, databaseUrlVariable, readConfig } from '../config.ts';
import { migrateToLatest } from './migrate.ts';

try {
  const { DATABASE_URL } = readConfig(z.object({ DATABASE_URL: databaseUrlVariable }), process.env);
  const applied = await migrateToLatest(DATABASE_URL);
  process.stdout.write(applied.length === 0 ? 'the schema is current\n' : `applied ${applied.join(', ')}\n`);
} catch (error) {
  const lines = error instanceof ConfigError ? error.faults : [`migration failed: ${describe(error)}`];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}

/** A refused connection to a host with several addresses is an AggregateError without a message of its own. */
function describe(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describe).join('; ');
  return error instanceof Error ? error.message : String(error);
}
