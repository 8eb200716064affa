// Root in the folder of another user works as that user, so that what it leaves there is not closed to its owner.
import { chown, mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../error-text.ts';
import { runProgram, runProgramOrThrow } from './run-program.ts';
import { StackError } from './stack-error.ts';

/** An entry of passwd(5). */
export type Account = { name: string; uid: number; gid: number; home: string };

/**
 * The account other than root that a folder belongs to, or that holds the folder when root made it or nobody has yet.
 * Null without one, and for owners that this machine knows no account of: Postgres refuses to run as those.
 */
export async function findFolderOwner(folder: string): Promise<Account | null> {
  const ownUid = await readUid(folder);
  const uid = ownUid === null || ownUid === 0 ? await readUidAbove(folder) : ownUid;
  if (uid === 0) return null;
  return (await listAccounts()).find((account) => account.uid === uid) ?? null;
}

/**
 * Gives up root's rights for those of the data folder's owner, for good, and gives it what an earlier start as root
 * left in the folder; returns that owner. Null, and nothing changed, for a process that is not root, for a folder that
 * is root's, and where the owner cannot run this program or cannot pass through the folders above.
 */
export async function workAsFolderOwner(dataFolder: string, env: NodeJS.ProcessEnv): Promise<Account | null> {
  if (process.getuid?.() !== 0) return null;
  const owner = await findFolderOwner(dataFolder);
  if (owner === null || !(await canWorkAs(owner, dataFolder))) return null;
  await mkdir(dataFolder, { recursive: true });
  await giveFolder(dataFolder, owner);
  process.setgroups?.([owner.gid]);
  process.setgid?.(owner.gid);
  process.setuid?.(owner.uid);
  // Installers keep their caches at home, and root's is closed now.
  Object.assign(env, { HOME: owner.home, USER: owner.name, LOGNAME: owner.name });
  return owner;
}

/**
 * For programs that go on as root: gives what lies in the data folder to the account whose folder it is, but for the
 * files of a Postgres that may be running on them under another account.
 */
export async function giveToFolderOwner(dataFolder: string): Promise<void> {
  if (process.getuid?.() !== 0) return;
  const owner = await findFolderOwner(dataFolder);
  if (owner === null) return;
  const { uid, gid } = owner;
  const names = (await readdir(dataFolder)).filter((name) => name !== 'postgres');
  await chown(dataFolder, uid, gid);
  for (const name of names) await giveFolder(join(dataFolder, name), owner);
}

/** All accounts of passwd(5). */
export async function listAccounts(): Promise<Account[]> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  return lines.flatMap(([name = '', , uidText = '', gidText = '', , home = '/']) => {
    const isEntry = name !== '' && /^\d+$/.test(uidText) && /^\d+$/.test(gidText);
    return isEntry ? [{ name, uid: Number(uidText), gid: Number(gidText), home }] : [];
  });
}

/** Asks the account itself, because folders above, mount options and labels all have their say. */
async function canWorkAs({ uid, gid }: Account, dataFolder: string): Promise<boolean> {
  const script = 'cd "$1" && test -r "$2" && exec "$3" --version';
  const existing = await findExisting(dataFolder);
  try {
    const args = ['-c', script, 'sh', existing, import.meta.filename, process.execPath];
    return (await runProgram('sh', args, { uid, gid })).exitCode === 0;
  } catch (error) {
    if (error instanceof StackError) return false;
    throw error;
  }
}

async function giveFolder(folder: string, { uid, gid }: Account): Promise<void> {
  // Links themselves and not what they lead to.
  await runProgramOrThrow('chown', ['-R', '-h', `${uid}:${gid}`, folder]);
}

async function readUidAbove(folder: string): Promise<number> {
  return (await readUid(await findExisting(dirname(folder)))) ?? 0;
}

/** The folder itself or the nearest one above it that is there. */
async function findExisting(folder: string): Promise<string> {
  let existing = folder;
  while ((await readUid(existing)) === null && dirname(existing) !== existing) existing = dirname(existing);
  return existing;
}

async function readUid(path: string): Promise<number | null> {
  try {
    return (await stat(path)).uid;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
