// Brings a database to the newest schema. Safe to run from several processes at once: the migrator takes a lock.
import { Kysely, PostgresDialect } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { Pool } from 'pg';
import * as definitions from './migrations/001-definitions.ts';
import * as results from './migrations/002-results.ts';
import * as recurring from './migrations/003-recurring.ts';
import * as taskReply from './migrations/004-task-reply.ts';
import * as crontab from './migrations/005-crontab.ts';
import * as dispatch from './migrations/006-dispatch.ts';
import * as job from './migrations/007-job.ts';

/** Forward only, in the order of their names. */
const migrations: Record<string, Migration> = {
  '001-definitions': definitions,
  '002-results': results,
  '003-recurring': recurring,
  '004-task-reply': taskReply,
  '005-crontab': crontab,
  '006-dispatch': dispatch,
  '007-job': job,
};

/** Runs what has not run yet; resolves with the names of what ran. */
export async function migrateToLatest(databaseUrl: string): Promise<string[]> {
  const db = new Kysely<never>({
    dialect: new PostgresDialect({ pool: new Pool({ connectionString: databaseUrl, max: 2 }) }),
  });
  try {
    const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) throw error;
    return results.map(({ migrationName }) => migrationName);
  } finally {
    await db.destroy();
  }
}
