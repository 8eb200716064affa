// `npm run migrate`: migrations on DATABASE_URL.
import { z } from 'zod';
import { ConfigError, databaseUrlVariable, readConfig } from '../config.ts';
import { describeError } from '../error-text.ts';
import { migrateToLatest } from './migrate.ts';

try {
  const { DATABASE_URL } = readConfig(z.object({ DATABASE_URL: databaseUrlVariable }), process.env);
  const applied = await migrateToLatest(DATABASE_URL);
  process.stdout.write(applied.length === 0 ? 'the schema is current\n' : `applied ${applied.join(', ')}\n`);
} catch (error) {
  const lines = error instanceof ConfigError ? error.faults : [`migration failed: ${describeError(error)}`];
  process.stderr.write(`${lines.join('\n')}\n`);
  process.exitCode = 1;
}
