import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repositoryFolder } from '../../../../infra/local-stack/data-folder.ts';
import { type RunResult, runProgram } from '../../../../infra/local-stack/run-program.ts';

const script = join(
  repositoryFolder,
  'services/dispatch/playbooks/roles/probe_agent/files/prepare-machine.sh',
);
const login = userInfo().username;
const release = 'probe-agent-1.0.0-abc.tar.gz';
const runtime = `probe-node-v24.0.0-${process.platform}-${process.arch}-abc.tar.gz`;

let folder: string;
let directory: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'probe-task-prepare-'));
  directory = join(folder, 'agent');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function prepare(
  change: Partial<Record<'directory' | 'login' | 'service' | 'state' | 'runtime', string>> = {},
): Promise<RunResult> {
  const given = { directory, login, service: 'probe-agent', state: 'deployed', runtime, ...change };
  const args = [given.directory, given.login, given.service, given.state, release, given.runtime];
  return runProgram('sh', [script, ...args]);
}

test('a machine is prepared once, and what is not there yet is named', async () => {
  const missing = [`missing ${release}`, `missing ${runtime}`];
  const first = await prepare();
  expect(first.stderr).toBe('');
  expect(
    first.stdout
      .trim()
      .split('\n')
      .filter((line) => line !== 'systemd'),
  ).toEqual(['changed', ...missing]);
  const second = await prepare();
  expect(
    second.stdout
      .trim()
      .split('\n')
      .filter((line) => line !== 'systemd'),
  ).toEqual(missing);
  expect(await readFile(join(directory, 'manager'), 'utf8')).toContain(`login=${login}\n`);
});

test.each([
  [
    'another architecture',
    { runtime: 'probe-node-v24.0.0-linux-s390x-abc.tar.gz' },
    'the release is for another one',
  ],
  ['a folder that is not absolute', { directory: 'opt/agent' }, 'an absolute path'],
  ['the root of the file system', { directory: '/' }, 'an absolute path'],
  ['a folder that a shell would read', { directory: '/tmp/$(id)' }, 'characters that are not taken'],
  ['a way up', { directory: '/tmp/../etc' }, 'characters that are not taken'],
  ['a login that is none', { login: '-x' }, 'not the name of a login'],
  ['a service that is none', { service: '../x' }, 'not the name of a service'],
  ['an upgrade of nothing', { state: 'upgraded' }, 'no agent is deployed'],
])('%s is refused', async (_, change, reason) => {
  const { exitCode, stderr } = await prepare(change);
  expect(stderr).toContain(reason);
  expect(exitCode).toBe(1);
  expect(await readdir(folder)).toEqual([]);
});

test('a folder that holds something else is left alone', async () => {
  await writeFile(join(folder, 'precious'), '');
  await chmod(folder, 0o755);
  const { exitCode, stderr } = await prepare({ directory: folder });
  expect(stderr).toContain('holds something else than an agent');
  expect(exitCode).toBe(1);
  expect(await readdir(folder)).toEqual(['precious']);
});
