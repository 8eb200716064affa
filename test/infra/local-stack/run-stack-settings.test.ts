// What a start says of settings and folders that it cannot work with, before it starts anything.
import { chmod, chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, inject, test } from 'vitest';
import { repositoryFolder } from '../../../infra/local-stack/data-folder.ts';
import { type Account, listAccounts } from '../../../infra/local-stack/folder-owner.ts';
import { runProgram } from '../../../infra/local-stack/run-program.ts';
import { createStandInFolder, type StandInFolder } from './stand-in-run.ts';

let folder: StandInFolder;

beforeEach(async () => {
  folder = await createStandInFolder();
});
afterEach(() => folder.remove());

test.each([
  [{ DATABASE_URL: '127.0.0.1' }, ['DATABASE_URL: expected postgres://host:port or postgresql://host:port']],
  [
    { NATS_URL: 'http://127.0.0.1', LOG_LEVEL: 'loud' },
    [
      'NATS_URL: expected nats://host:port or tls://host:port',
      'LOG_LEVEL: expected fatal, error, warn, info, debug, trace or silent',
    ],
  ],
  [
    { STAND_IN_API_PORT: '1', SECOND_PORT: '65536' },
    ['SECOND_PORT: expected a whole number from 0 to 65535'],
  ],
  // A documentation address (RFC 5737): this machine has not got it.
  [{ HTTP_HOST: '192.0.2.1' }, [expect.stringMatching(/^HTTP_HOST: cannot listen on 192\.0\.2\.1: /)]],
])('settings %j are refused with one line per fault before anything starts', async (env, lines) => {
  const run = folder.start(env);
  expect(await run.exited).toEqual({ exitCode: 1, signal: null });
  expect(run.output().trimEnd().split('\n')).toEqual(lines);
  expect((await readdir(folder.path)).filter((name) => name !== 'run')).toEqual([]);
});

test('a data folder that cannot be written is named in one line', async () => {
  const file = join(folder.path, 'file');
  await writeFile(file, '');
  const run = folder.start({ DATA_DIR: join(file, 'data') });
  expect(await run.exited).toEqual({ exitCode: 1, signal: null });
  expect(run.output().trim()).toMatch(/^cannot keep data in \S+: ENOTDIR[^\n]+$/);
});

/** Somebody other than root: for root the account nobody, else this one. */
async function findOrdinaryAccount(): Promise<Account> {
  const accounts = await listAccounts();
  const isRoot = process.getuid?.() === 0;
  const account = accounts.find(({ name, uid }) => (isRoot ? name === 'nobody' : uid === process.getuid?.()));
  if (account === undefined) throw new Error('this machine has no ordinary account');
  return account;
}

test('root works as the user whose folder it is, and gives back what an earlier start left', async () => {
  const { uid, gid } = await findOrdinaryAccount();
  // Left by a start as root; the folder is the user's.
  await mkdir(join(folder.path, 'log'), { mode: 0o700 });
  await writeFile(join(folder.path, 'log', 'postgres.log'), 'earlier\n', { mode: 0o600 });
  await chown(folder.path, uid, gid);
  const run = await folder.startReady({ NATS_URL: inject('natsUrl') });
  const canPass = await runProgram('test', ['-r', join(repositoryFolder, 'package.json')], { uid, gid });
  // A repository below a folder that is closed to the user leaves root at work, and Postgres under an account of its own.
  const owner = canPass.exitCode === 0 ? uid : 0;
  const { postgres, ...others } = await ownersIn(folder.path);
  expect(new Set(Object.values(others))).toEqual(new Set([owner]));
  expect(postgres).not.toBe(0);
  run.signal('SIGTERM');
  expect(await run.exited).toEqual({ exitCode: 0, signal: null });
  if (canPass.exitCode === 0) expect(await ownersOfAll(folder.path)).toEqual(new Set([uid]));
});

test('files that are closed to the user are named in one line with the command that helps', async () => {
  const { uid, gid } = await findOrdinaryAccount();
  const log = join(folder.path, 'log');
  await mkdir(log);
  await writeFile(join(log, 'postgres.log'), '', { mode: 0 });
  const module = join(repositoryFolder, 'infra/local-stack/check-data-folder.ts');
  // Given as text: the repository may lie where the account cannot go.
  const script = `
    import { checkDataFolder } from '${module}';
    ${process.getuid?.() === 0 ? `process.setgid(${gid}); process.setuid(${uid});` : ''}
    await checkDataFolder('${folder.path}').catch((error) => console.log(error.message));`;
  const { stdout } = await runProgram(process.execPath, ['--input-type=module', '-e', script]);
  const path = join(log, 'postgres.log');
  await chmod(path, 0o600);
  expect(stdout).toBe(
    process.getuid?.() === 0
      ? `${folder.path} is closed to you, perhaps after a start as root; give the folder back with: sudo chown -R ${uid}:${gid} ${folder.path}\n`
      : `${path} is closed to you, perhaps after a start as root; give the folder back with: sudo chown -R ${uid}:${gid} ${folder.path}\n`,
  );
});

async function ownersIn(path: string): Promise<Record<string, number>> {
  const names = await readdir(path);
  const entries = names.map(async (name) => [name, (await stat(join(path, name))).uid] as const);
  return Object.fromEntries(await Promise.all(entries));
}

async function ownersOfAll(path: string): Promise<Set<number>> {
  const names = await readdir(path, { recursive: true });
  const uids = await Promise.all(names.map(async (name) => (await stat(join(path, name))).uid));
  return new Set(uids);
}
