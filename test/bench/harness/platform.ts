// The servers that the benches share: each is started when it is first asked for, and stopped at the end of the run.
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { migrateToLatest } from '../../../infra/database/migrate.ts';
import type { Stoppable } from '../../../infra/lifecycle.ts';
import { startNatsServer } from '../../../infra/local-stack/nats-server.ts';
import { startPostgres } from '../../../infra/local-stack/postgres.ts';
import { tryAll } from '../../../infra/try-all.ts';
import { executeSql, inDatabase } from '../../helpers/execute-sql.ts';
import { provideProgram } from '../../helpers/programs.ts';
import { serveWildcardZone } from '../../helpers/wildcard-zone.ts';

/** Every name below this zone has one A record, 192.0.2.1. */
export const zone = 'bench.test';
export const zoneAddress = '192.0.2.1';

/** `stop` drops it. */
export type BenchDatabase = { url: string; stop(): Promise<void> };

export type Platform = {
  natsUrl(): Promise<string>;
  /** NSD with one server process, UDP and TCP, on loopback. */
  nameServer(): Promise<DnsServer>;
  /** A fresh database of the run's Postgres, which keeps what it commits; with our tables unless told otherwise. */
  createDatabase(options?: { isMigrated?: boolean }): Promise<BenchDatabase>;
  stop(): Promise<void>;
};

/** Nothing runs yet. */
export function createPlatform(): Platform {
  const started: Stoppable[] = [];
  let folder: Promise<string> | undefined;
  let nats: Promise<string> | undefined;
  let names: Promise<DnsServer> | undefined;
  let postgres: Promise<string> | undefined;
  let stopping: Promise<void> | undefined;

  function dataFolder(): Promise<string> {
    folder ??= makeFolder();
    return folder;
  }

  async function makeFolder(): Promise<string> {
    const made = await mkdtemp(join(tmpdir(), 'probe-task-bench-'));
    started.push({ stop: () => rm(made, { recursive: true, force: true }) });
    // Started by root, Postgres runs under another account and has to pass through here.
    await chmod(made, 0o711);
    return made;
  }

  async function startNats(): Promise<string> {
    const program = await provideProgram('nats-server');
    const server = await startNatsServer({ program, dataFolder: await dataFolder(), preferredPort: 0 });
    started.push(server);
    return server.url;
  }

  async function startNameServer(): Promise<DnsServer> {
    const server = await serveWildcardZone(zone, zoneAddress);
    started.push(server);
    return { transport: 'udp', address: server.address, family: 4, port: server.port };
  }

  async function startDatabaseServer(): Promise<string> {
    const server = await startPostgres({
      dataFolder: await dataFolder(),
      preferredPort: 0,
      database: 'postgres',
    });
    started.push(server);
    return server.url;
  }

  function refuseLate(): void {
    if (stopping !== undefined) throw new Error('the servers of the run have been stopped');
  }

  async function stopAll(): Promise<void> {
    // What is still starting is waited for, so that it can be stopped.
    await Promise.allSettled([nats, names, postgres]);
    await tryAll(started.toReversed().map((each) => () => each.stop()));
  }

  return {
    async natsUrl() {
      refuseLate();
      nats ??= startNats();
      return nats;
    },
    async nameServer() {
      refuseLate();
      names ??= startNameServer();
      return names;
    },
    async createDatabase({ isMigrated = true } = {}) {
      refuseLate();
      postgres ??= startDatabaseServer();
      const adminUrl = await postgres;
      const name = `bench_${randomBytes(8).toString('hex')}`;
      await executeSql(adminUrl, `create database ${name}`);
      const url = inDatabase(adminUrl, name);
      if (isMigrated) await migrateToLatest(url);
      return { url, stop: () => executeSql(adminUrl, `drop database ${name} with (force)`) };
    },
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };
}
