// A Postgres server of our own, on loopback only, behind a generated password.
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { describeError } from '../error-text.ts';
import { choosePostgresPlace, commandInPlace, findPostgresBinaries } from './postgres-account.ts';
import { clearEarlierRun, type PostgresCluster, postgresUser, prepareCluster } from './postgres-cluster.ts';
import { StackError } from './stack-error.ts';
import { type Child, type ChildExit, startChild } from './start-child.ts';
import { loopback, startOnFreePort } from './start-on-free-port.ts';
import { waitUntil } from './wait-until.ts';
import { createParentDeathWrapper } from './with-parent-death-signal.ts';

export type PostgresOptions = {
  /** State folder; the server's files lie in `postgres/` below it. */
  dataFolder: string;
  /** Taken or not: the next free port is used then. 0 for any. */
  preferredPort: number;
  /** False trades the safety of the data for speed: for tests. */
  isDurable?: boolean;
  database?: string;
  signal?: AbortSignal | undefined;
};

export type PostgresServer = {
  /** With user, password and database. */
  url: string;
  port: number;
  pid: number;
  exited: Promise<ChildExit>;
  /** Ends connections and shuts down; `isForced` leaves recovery to the next start. */
  stop(options?: { isForced?: boolean }): Promise<void>;
};

const readyTimeoutMs = 60_000;
const fastGraceMs = 20_000;
const forcedGraceMs = 2_000;
const lingerTimeoutMs = 30_000;
const lingerIntervalMs = 500;

/**
 * Starts Postgres on the files in the data folder (made on the first start) and resolves once it takes
 * connections. Handles a pid file and processes that a killed run left behind. Rejects with `PROGRAM_MISSING`,
 * `PORT_TAKEN` or `SERVER_FAILED`; the message ends with Postgres' own last words.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { dataFolder, preferredPort, isDurable = true, database = 'probe_task', signal } = options;
  const binaries = await findPostgresBinaries();
  const place = await choosePostgresPlace(join(dataFolder, 'postgres'), binaries);
  const cluster = await prepareCluster(place, { isDurable, signal });
  await clearEarlierRun(cluster);
  const wrap = await createParentDeathWrapper('INT');

  async function launch(port: number): Promise<PostgresServer | null> {
    const wrapped = wrap(place.binaries.postgres, listArguments(cluster, port, isDurable));
    const child = await startChild({
      name: 'postgres',
      ...commandInPlace(place, wrapped.program, wrapped.args),
      env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' },
      logFile: join(dataFolder, 'log', 'postgres.log'),
      runFolder: join(dataFolder, 'run'),
      stopSignal: 'SIGINT',
    });
    const adminUrl = formatUrl(cluster, port, 'postgres');
    try {
      const state = await waitForReady(child, adminUrl, signal);
      if (state === 'port taken') return null;
      if (state === 'earlier run lingers') return await launchLater(port);
      await ensureDatabase(adminUrl, database);
    } catch (error) {
      await child.stop(forcedGraceMs);
      throw error;
    }
    return {
      url: formatUrl(cluster, port, database),
      port,
      pid: child.pid,
      exited: child.exited,
      async stop({ isForced = false } = {}) {
        if (isForced) child.signal('SIGQUIT');
        await child.stop(isForced ? forcedGraceMs : fastGraceMs);
      },
    };
  }

  // A killed postmaster's last busy connections hold the shared memory for as long as their statement runs.
  const giveUpAt = performance.now() + lingerTimeoutMs;
  async function launchLater(port: number): Promise<PostgresServer | null> {
    if (performance.now() > giveUpAt) {
      throw new StackError(
        'SERVER_FAILED',
        `Postgres does not start: connections of a killed run still work on ${cluster.dataFolder}`,
      );
    }
    await pause(lingerIntervalMs);
    return launch(port);
  }

  return startOnFreePort(preferredPort, launch);
}

function listArguments({ dataFolder }: PostgresCluster, port: number, isDurable: boolean): string[] {
  const settings: Record<string, string> = {
    listen_addresses: loopback,
    port: String(port),
    // Paths of sockets are limited to some hundred octets, and nothing here needs one.
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Runs come and go: within the minute of the default their table would grow without need.
    autovacuum_naptime: '10s',
    ...(isDurable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return ['-D', dataFolder, ...options];
}

async function waitForReady(
  child: Child,
  url: string,
  signal: AbortSignal | undefined,
): Promise<'ready' | 'port taken' | 'earlier run lingers'> {
  const state = await waitUntil(
    async () => {
      if (child.exit() !== null) return 'ended';
      return (await canConnect(url)) ? 'ready' : null;
    },
    { timeoutMs: readyTimeoutMs, signal },
  );
  if (state === 'ready') return state;
  const output = await child.readOutput();
  if (state === 'ended' && output.includes('could not bind')) return 'port taken';
  if (state === 'ended' && output.includes('pre-existing shared memory block')) return 'earlier run lingers';
  const fatal = output.split('\n').findLast((line) => /FATAL|PANIC/.test(line)) ?? 'see postgres.log';
  throw new StackError(
    'SERVER_FAILED',
    `Postgres does not start: ${fatal.replace(/^.*?(FATAL|PANIC):\s*/, '')}`,
  );
}

async function canConnect(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    // Not up yet, or a stranger on this port that refuses our password; the caller bounds the wait.
    return false;
  }
}

async function ensureDatabase(adminUrl: string, database: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [database]);
    if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
  } catch (error) {
    throw new StackError('SERVER_FAILED', `Postgres: ${describeError(error)}`, { cause: error });
  } finally {
    await client.end();
  }
}

function formatUrl({ password }: PostgresCluster, port: number, database: string): string {
  return `postgres://${postgresUser}:${password}@${loopback}:${port}/${database}`;
}
