// Where the state of the local stack lives.

import { join, resolve } from 'node:path';

/** The root of this repository. */
export const repositoryFolder = resolve(import.meta.dirname, '../..');

/** `DATA_DIR` as an absolute path; without it `.data` under the root of the repository. */
export function resolveDataFolder(env: NodeJS.ProcessEnv): string {
  return env.DATA_DIR ? resolve(env.DATA_DIR) : join(repositoryFolder, '.data');
}
