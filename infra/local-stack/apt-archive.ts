// Debian's package archive, read without root: downloads packages and knows what they depend on.

import { mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { findOnPath } from './find-program.ts';
import { runProgram, runProgramOrThrow } from './run-program.ts';

export type AptArchive = {
  /** Puts the `.deb` files of the packages into the folder; rejects with `PROGRAM_FAILED`. */
  download(packageNames: readonly string[], folder: string): Promise<void>;
  /** The library packages that the given packages depend on, without the C library. */
  listLibraryDependencies(packageNames: readonly string[]): Promise<string[]>;
};

/** Whether this machine has apt and dpkg. */
export async function hasDebianTools(env: NodeJS.ProcessEnv): Promise<boolean> {
  const found = await Promise.all(['apt-get', 'apt-cache', 'dpkg'].map((name) => findOnPath(name, env)));
  return found.every((path) => path !== null);
}

/**
 * Reads the machine's package lists as long as they serve; where they are missing or out of date, fetches
 * lists of its own into `stateFolder` and uses those from then on.
 */
export function createAptArchive(stateFolder: string, signal?: AbortSignal): AptArchive {
  // The account to which apt drops its rights cannot write below folders that are closed to others.
  const sandbox = ['-o', `APT::Sandbox::User=${userInfo().username}`];
  const lists = join(stateFolder, 'lists');
  const cache = join(stateFolder, 'cache');
  const ownLists = ['-o', `Dir::State::Lists=${lists}`, '-o', `Dir::Cache=${cache}`];
  let options = sandbox;

  async function fetchOwnLists(): Promise<void> {
    await mkdir(join(lists, 'partial'), { recursive: true });
    await mkdir(join(cache, 'archives', 'partial'), { recursive: true });
    options = [...sandbox, ...ownLists];
    await runProgramOrThrow('apt-get', [...options, 'update'], { signal });
  }

  return {
    async download(packageNames, folder) {
      const first = await runProgram('apt-get', [...options, 'download', ...packageNames], {
        cwd: folder,
        signal,
      });
      if (first.exitCode === 0) return;
      await fetchOwnLists();
      await runProgramOrThrow('apt-get', [...options, 'download', ...packageNames], { cwd: folder, signal });
    },

    async listLibraryDependencies(packageNames) {
      const { stdout } = await runProgramOrThrow('apt-cache', [
        ...options,
        'depends',
        '--important',
        ...packageNames,
      ]);
      const names = [...stdout.matchAll(/^[\s|]+(?:Pre)?Depends: (lib[^\s<>]+)/gm)].map(
        (match) => match[1] ?? '',
      );
      return [...new Set(names)].filter((name) => !/^libc6(:|$)/.test(name));
    },
  };
}
