// What the service keeps on its machine.
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { createOwnFiles, provideSealKey } from '../../../services/dispatch/own-files.ts';

let folder: string;
beforeEach(async () => {
  const parent = await mkdtemp(join(tmpdir(), 'probe-task-own-'));
  folder = join(parent, 'dispatch');
  onTestFinished(() => rm(parent, { recursive: true, force: true }));
});

function createFiles(env: NodeJS.ProcessEnv = { PATH: process.env.PATH }) {
  const sshKeyFile = join(folder, 'id_ed25519');
  const rolesFolder = join(folder, 'roles');
  return createOwnFiles({ folder, sshKeyFile, rolesFolder, env, logger: pino({ level: 'silent' }) });
}
const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

test('the key of the seal is made once, and closed to others', async () => {
  const key = provideSealKey(folder);
  expect(key.length).toBeGreaterThanOrEqual(32);
  expect(provideSealKey(folder)).toBe(key);
  expect(await modeOf(join(folder, 'seal.key'))).toBe('600');
});

test('a key of the seal that is none is refused', async () => {
  await mkdir(folder);
  await writeFile(join(folder, 'seal.key'), '\n');
  expect(() => provideSealKey(folder)).toThrow(/seal\.key: expected at least 32 characters/);
  expect(await readdir(folder)).toEqual(['seal.key']);
});

test('the folder is closed to others, and has a place for roles', async () => {
  await createFiles().start();
  expect(await modeOf(folder)).toBe('700');
  expect((await stat(join(folder, 'roles'))).isDirectory()).toBe(true);
});

test('a key to log in with is made once, however many ask for it at once', async () => {
  const files = createFiles();
  await files.start();
  expect(await Promise.all([files.provideKey(), createFiles().provideKey()])).toEqual([undefined, undefined]);
  const made = await readFile(join(folder, 'id_ed25519.pub'), 'utf8');
  expect(made).toMatch(/^ssh-ed25519 \S+ probe-task\n$/);
  expect(await modeOf(join(folder, 'id_ed25519'))).toBe('600');
  expect(await files.provideKey()).toBeUndefined();
  expect(await readFile(join(folder, 'id_ed25519.pub'), 'utf8')).toBe(made);
});
