// Once per run: installs the programs that tests need, and starts one Postgres and one nats-server for all files.
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { TestProject } from 'vitest/node';
import { migrateToLatest } from '../../infra/database/migrate.ts';
import { repositoryFolder, resolveDataFolder } from '../../infra/local-stack/data-folder.ts';
import { giveToFolderOwner } from '../../infra/local-stack/folder-owner.ts';
import { startNatsServer } from '../../infra/local-stack/nats-server.ts';
import { startPostgres } from '../../infra/local-stack/postgres.ts';
import { sealTemplate, templateDatabase } from './postgres.ts';
import { provideAnsible, provideProgram, providePython } from './programs.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The superuser's URL of the run's Postgres; tests take databases from `createTestDatabase`. */
    postgresUrl: string;
    /** The nats-server that all files share. */
    natsUrl: string;
    /** Path of the nats-server program. */
    natsServerProgram: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [program] = await Promise.all([
    provideProgram('nats-server'),
    provideProgram('nsd'),
    provideProgram('nsd-checkconf'),
    provideProgram('pgbouncer'),
    providePython(),
    needsAnsible(project) ? provideAnsible() : undefined,
  ]);
  await giveToFolderOwner(resolveDataFolder(process.env));
  const dataFolder = await mkdtemp(join(tmpdir(), 'probe-task-test-'));
  const stoppers: (() => Promise<void>)[] = [() => rm(dataFolder, { recursive: true, force: true })];
  async function stopAll(): Promise<void> {
    for (const stopOne of stoppers.toReversed()) await stopOne();
  }

  try {
    // Started by root, Postgres runs under another account and has to pass through here.
    await chmod(dataFolder, 0o711);
    const postgres = await startPostgres({
      dataFolder,
      preferredPort: 0,
      isDurable: false,
      database: templateDatabase,
    });
    stoppers.push(() => postgres.stop());
    const nats = await startNatsServer({ program, dataFolder, preferredPort: 0 });
    stoppers.push(() => nats.stop());
    await migrateToLatest(postgres.url);
    const postgresUrl = await sealTemplate(postgres.url);

    project.provide('postgresUrl', postgresUrl);
    project.provide('natsUrl', nats.url);
    project.provide('natsServerProgram', program);
    return stopAll;
  } catch (error) {
    await stopAll();
    throw error;
  }
}

/** Whether tests are to be run that play Ansible or start the whole stack: only then the system has to have it. */
function needsAnsible(project: TestProject): boolean {
  const files = project.vitest.state.getPaths().map((path) => relative(repositoryFolder, path));
  return files.some((file) => /(services|system)\/dispatch|agents|ssh-nodes|readme/.test(file));
}
