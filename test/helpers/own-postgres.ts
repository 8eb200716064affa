// A migrated Postgres of the test's own, which it may kill and start again on the same files.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { migrateToLatest } from '../../infra/database/migrate.ts';
import { startPostgres } from '../../infra/local-stack/postgres.ts';

export type OwnPostgres = {
  readonly url: string;
  /** Ends it at once, without a checkpoint; the next start recovers. */
  stopImmediately(): Promise<void>;
  /** SIGKILL of the postmaster; its children notice by themselves. */
  kill(): Promise<void>;
  /** Starts it again, on the same port. */
  restart(): Promise<void>;
};

/** Ends with the present test. What is committed survives its death: it runs with the safety of the data. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const dataFolder = await mkdtemp(join(tmpdir(), 'probe-task-postgres-'));
  onTestFinished(() => rm(dataFolder, { recursive: true, force: true }));
  // Started by root, Postgres runs under another account and has to pass through here.
  await chmod(dataFolder, 0o711);
  let server = await startPostgres({ dataFolder, preferredPort: 0 });
  onTestFinished(() => server.stop());
  const { url, port } = server;
  await migrateToLatest(url);
  return {
    url,
    stopImmediately: () => server.stop({ isForced: true }),
    async kill() {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    async restart() {
      server = await startPostgres({ dataFolder, preferredPort: port });
      if (server.port !== port) throw new Error(`port ${port} was taken by another program meanwhile`);
    },
  };
}
