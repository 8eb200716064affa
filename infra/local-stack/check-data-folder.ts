// Says early, and with the command that helps, that files of the data folder belong to somebody else.
import { access, constants, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemErrorCode } from '../error-text.ts';
import { StackError } from './stack-error.ts';

/** Folders whose files every start writes anew; programs and packages are only read, and may be anyone's. */
const writtenFolders = ['log', 'run', 'stack.lock'];
const readOnlyFolders = new Set(['bin', 'debian', 'go', 'python']);

/**
 * Rejects with `SERVER_FAILED` when this process may not read and write what a start needs in the folder. A folder that
 * is not there yet is no fault.
 */
export async function checkDataFolder(dataFolder: string): Promise<void> {
  const entries = await listFolder(dataFolder);
  const wanted = entries.filter((name) => !readOnlyFolders.has(name)).map((name) => join(dataFolder, name));
  for (const name of writtenFolders) {
    const folder = join(dataFolder, name);
    wanted.push(...(await listFolder(folder)).map((file) => join(folder, file)));
  }
  for (const path of [dataFolder, ...wanted]) {
    if (await isClosed(path)) throw ownershipFault(path, dataFolder);
  }
}

/** Names the path that is in the way, and the command by which root gives the whole folder to this account. */
export function ownershipFault(path: string, dataFolder: string): StackError {
  const account = `${process.getuid?.()}:${process.getgid?.()}`;
  const quoted = /^[\w./-]+$/.test(dataFolder) ? dataFolder : `'${dataFolder.replaceAll("'", `'\\''`)}'`;
  const help = `give the folder back with: sudo chown -R ${account} ${quoted}`;
  return new StackError('SERVER_FAILED', `${path} is closed to you, perhaps after a start as root; ${help}`);
}

async function isClosed(path: string): Promise<boolean> {
  try {
    const isFolder = (await stat(path)).isDirectory();
    await access(path, constants.R_OK | constants.W_OK | (isFolder ? constants.X_OK : 0));
    return false;
  } catch (error) {
    if (systemErrorCode(error) === 'EACCES') return true;
    // Files come and go under a running stack; everything else shows where it is used.
    return false;
  }
}

/** Empty for a folder that is not there; one that may not be read is found by `isClosed`. */
async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return [];
    throw error;
  }
}
