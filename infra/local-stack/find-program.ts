// Looks for an executable file by name in a list of folders.

import { access, constants, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { systemErrorCode } from '../error-text.ts';

// Servers are often installed here, and the PATH of an ordinary user leaves these folders out.
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The absolute path of the program on the PATH (or in a system folder), or null. */
export function findOnPath(name: string, env: NodeJS.ProcessEnv): Promise<string | null> {
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder.startsWith('/'));
  return findInFolders(name, [...folders, ...systemFolders]);
}

/** The first of the folders' files of that name that this process may execute, or null. */
export async function findInFolders(name: string, folders: readonly string[]): Promise<string | null> {
  for (const folder of folders) {
    const path = join(folder, name);
    if (await isExecutableFile(path)) return path;
  }
  return null;
}

async function isExecutableFile(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return false;
    throw error;
  }
}
