// A real PgBouncer in transaction mode, in front of the run's Postgres; a test may kill and restart it.
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { listAccounts } from '../../infra/local-stack/folder-owner.ts';
import { type Child, startChild } from '../../infra/local-stack/start-child.ts';
import { loopback, startOnFreePort } from '../../infra/local-stack/start-on-free-port.ts';
import { waitUntil } from '../../infra/local-stack/wait-until.ts';
import { provideProgram } from './programs.ts';

export type TestPgbouncer = {
  /** Of the same database with the same login. */
  readonly url: string;
  /** Connections of clients by the application name they gave. */
  countClients(): Promise<Map<string, number>>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Runs again on the same port. */
  restart(): Promise<void>;
  /** What it has logged since it was last started. */
  readLog(): Promise<string>;
  /** Ends it for good. */
  stop(): Promise<void>;
};

export type PgbouncerOptions = {
  databaseUrl: string;
  /** Connections to Postgres. */
  poolSize: number;
  /** Further lines of the section `[pgbouncer]`; all else is as it comes. */
  settings?: Record<string, string | number>;
};

const adminDatabase = 'pgbouncer';
const readyTimeoutMs = 10_000;
const stopGraceMs = 3000;

/** Starts PgBouncer on a free port of loopback; clients log in by SCRAM, and so does it at Postgres. */
export async function startPgbouncer(options: PgbouncerOptions): Promise<TestPgbouncer> {
  const program = await provideProgram('pgbouncer');
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-pgbouncer-'));
  const launch = (port: number) => launchInFolder(program, folder, port, options);
  let running = await startOnFreePort(0, launch).catch(async (error: unknown) => {
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const { port } = running;
  const killOnExit = () => running.child.signal('SIGKILL');
  process.once('exit', killOnExit);
  const url = atPort(options.databaseUrl, port);

  async function kill(): Promise<void> {
    running.child.signal('SIGKILL');
    await running.child.exited;
  }

  return {
    url,
    kill,
    readLog: () => running.child.readOutput(),
    async countClients() {
      const rows = await ask<{ application_name: string }>(url, 'show clients');
      const groups = Map.groupBy(rows, ({ application_name: name }) => name);
      return new Map([...groups].map(([name, clients]) => [name, clients.length]));
    },
    async restart() {
      const started = await launch(port);
      if (started === null) throw new Error(`port ${port} was taken by another program meanwhile`);
      running = started;
    },
    async stop() {
      process.removeListener('exit', killOnExit);
      await kill();
      await running.child.stop(stopGraceMs);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Null when the port turned out to be taken. */
async function launchInFolder(
  program: string,
  folder: string,
  port: number,
  options: PgbouncerOptions,
): Promise<{ child: Child; port: number } | null> {
  const configuration = await writeConfiguration(folder, port, options);
  const child = await startChild({
    name: 'pgbouncer',
    program,
    args: [configuration],
    logFile: join(folder, 'pgbouncer.log'),
    runFolder: folder,
  });
  const url = atPort(options.databaseUrl, port);
  const state = await waitUntil(
    async () => {
      if (child.exit() !== null) return 'ended';
      return (await answers(url)) ? 'ready' : null;
    },
    { timeoutMs: readyTimeoutMs },
  );
  if (state === 'ready') return { child, port };
  await child.stop(stopGraceMs);
  const output = await child.readOutput();
  if (output.includes('Address already in use')) return null;
  throw new Error(`pgbouncer did not start:\n${output}`);
}

async function writeConfiguration(
  folder: string,
  port: number,
  { databaseUrl, poolSize, settings = {} }: PgbouncerOptions,
): Promise<string> {
  const { hostname, port: serverPort, username, password, pathname } = new URL(databaseUrl);
  const account = await findServerAccount();
  const users = join(folder, 'users.txt');
  const pooling: Record<string, string | number> = {
    listen_addr: loopback,
    listen_port: port,
    // Paths of sockets are limited to some hundred octets, and nothing here needs one.
    unix_socket_dir: '',
    pool_mode: 'transaction',
    default_pool_size: poolSize,
    auth_type: 'scram-sha-256',
    auth_file: users,
    admin_users: username,
    ...(account === null ? {} : { user: account.name }),
    ...settings,
  };
  const lines = [
    '[databases]',
    `${pathname.slice(1)} = host=${hostname} port=${serverPort}`,
    '[pgbouncer]',
    ...Object.entries(pooling).map(([name, value]) => `${name} = ${value}`),
  ];
  const configuration = join(folder, 'pgbouncer.ini');
  await writeFile(configuration, `${lines.join('\n')}\n`, { mode: 0o600 });
  await writeFile(users, `"${decodeURIComponent(username)}" "${decodeURIComponent(password)}"\n`, {
    mode: 0o600,
  });
  // It reads its files after it gave up the rights of root.
  if (account !== null) {
    for (const path of [folder, configuration, users]) await chown(path, account.uid, account.gid);
  }
  return configuration;
}

/** The account that it is to run as: it refuses to run as root. */
async function findServerAccount(): Promise<{ name: string; uid: number; gid: number } | null> {
  if (process.getuid?.() !== 0) return null;
  const accounts = await listAccounts();
  const account = ['postgres', 'nobody'].flatMap((name) => accounts.find((each) => each.name === name) ?? []);
  if (account[0] === undefined) throw new Error('no account other than root that pgbouncer could run as');
  return account[0];
}

async function answers(url: string): Promise<boolean> {
  try {
    await ask(url, 'show version');
    return true;
  } catch {
    // Not up yet; the caller bounds the wait.
    return false;
  }
}

/** A statement of the administration console, which knows the simple protocol only. */
async function ask<Row extends object>(url: string, statement: string): Promise<Row[]> {
  const admin = new URL(url);
  admin.pathname = `/${adminDatabase}`;
  const client = new Client({ connectionString: admin.href, connectionTimeoutMillis: 2000 });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

function atPort(databaseUrl: string, port: number): string {
  const url = new URL(databaseUrl);
  url.port = String(port);
  return url.href;
}
