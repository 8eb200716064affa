// Finds programs that have to be part of the system, and installs their packages where this machine lets us.
import { join } from 'node:path';
import { describeError } from '../error-text.ts';
import { withLock } from './file-lock.ts';
import { findOnPath } from './find-program.ts';
import { installWithApt } from './install-with-apt.ts';
import type { ProvideOptions } from './provide-program.ts';
import { StackError } from './stack-error.ts';

export type PackageSet = {
  /** Debian's packages, and the program by which each is known to be there. */
  packages: readonly { name: string; program: string }[];
  /** What comes of it when one is missing, as the beginning of a sentence. */
  loss: string;
};

export type ProvidePackagesOptions = ProvideOptions & {
  /** Whether packages can be installed at all (default: whether this process is root's). */
  isRoot?: boolean;
};

/** What plays of Ansible need. They run in a sandbox that sees the system's folders alone, hence no private copy. */
export const ansiblePackages: PackageSet = {
  packages: [
    { name: 'ansible-core', program: 'ansible-playbook' },
    { name: 'bubblewrap', program: 'bwrap' },
    { name: 'openssh-client', program: 'ssh' },
  ],
  loss: 'the dispatch channel runs nothing',
};

/**
 * Resolves when every program of the set is on the PATH; on Debian, as root, after installing what is missing. Safe to
 * call from several processes. Rejects with `PROGRAM_MISSING` and one line that says how to get it and why the way tried
 * here failed.
 */
export async function providePackages(set: PackageSet, options: ProvidePackagesOptions): Promise<void> {
  if ((await findMissing(set, options.env)).length === 0) return;
  // Whoever held the lock before may have installed them.
  const install = () => installMissing(set, options);
  await withLock(join(options.dataFolder, 'install-packages.lock'), install, options.signal);
}

async function installMissing(set: PackageSet, options: ProvidePackagesOptions): Promise<void> {
  const { dataFolder, env, report, signal, isRoot = process.getuid?.() === 0 } = options;
  const missing = await findMissing(set, env);
  if (missing.length === 0) return;
  const program = await findOnPath('apt-get', env);
  if (!isRoot || program === null) throw missingFault(set, missing, '');
  const names = missing.map(({ name }) => name);
  report(`installing ${names.join(', ')} with apt-get (once, about half a minute) …`);
  try {
    await installWithApt(names, { program, env, signal, logFile: join(dataFolder, 'log', 'apt-get.log') });
  } catch (error) {
    signal?.throwIfAborted();
    throw missingFault(set, await findMissing(set, env), ` (${describeError(error)})`);
  }
  const left = await findMissing(set, env);
  if (left.length > 0) throw missingFault(set, left, ' (apt-get installed them somewhere else)');
}

async function findMissing(
  { packages }: PackageSet,
  env: NodeJS.ProcessEnv,
): Promise<PackageSet['packages']> {
  const found = await Promise.all(
    packages.map(async (one) => ((await findOnPath(one.program, env)) === null ? [one] : [])),
  );
  return found.flat();
}

function missingFault({ loss }: PackageSet, missing: PackageSet['packages'], tried: string): StackError {
  const programs = missing.map(({ program }) => program).join(', ');
  const names = missing.map(({ name }) => name).join(' ');
  return new StackError(
    'PROGRAM_MISSING',
    `${loss} without ${programs}: install it (Debian, as root: apt-get install ${names})${tried}`,
  );
}
