// Finds a server program, or installs it once into the data folder.

import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../error-text.ts';
import { hasDebianTools } from './apt-archive.ts';
import { type DebianProgram, extractDebianProgram } from './debian-package.ts';
import { withLock } from './file-lock.ts';
import { findInFolders, findOnPath } from './find-program.ts';
import { runProgramOrThrow } from './run-program.ts';
import { StackError } from './stack-error.ts';

export type ProgramSource = {
  name: string;
  /** Built by the Go toolchain, where there is one: `module@version`. */
  goModule?: string;
  /** Of Debian's archive, where it has it. */
  debian?: DebianProgram;
  /** How to get it by hand, for the line that says so. */
  advice: string;
};

export type ProvideOptions = {
  dataFolder: string;
  env: NodeJS.ProcessEnv;
  /** Takes one line on what is being installed. */
  report: (line: string) => void;
  /** Ends an installation that is under way. */
  signal?: AbortSignal | undefined;
};

// The Go module proxy knows it under this tag, and it builds with Go 1.25 and later.
const natsServerVersion = 'v2.14.9';

export const natsServerSource: ProgramSource = {
  name: 'nats-server',
  goModule: `github.com/nats-io/nats-server/v2@${natsServerVersion}`,
  debian: { packageName: 'nats-server', pathInPackage: 'usr/sbin/nats-server' },
  advice:
    'install it (Debian: apt-get install nats-server; others: https://nats.io/download), or set NATS_URL to a running one',
};

/**
 * The absolute path of a program: the one on the PATH, else the one in `<dataFolder>/bin`, else a fresh
 * install there (Go toolchain, then Debian's archive; neither needs root). Safe to call from several processes.
 * Rejects with `PROGRAM_MISSING` and one line that says how to get it and why the ways tried here failed.
 */
export async function provideProgram(source: ProgramSource, options: ProvideOptions): Promise<string> {
  const found = await findProgram(source.name, options);
  if (found !== null) return found;
  // Whoever held the lock before may have installed it.
  const installOnce = async () =>
    (await findProgram(source.name, options)) ?? installProgram(source, options);
  return withLock(join(options.dataFolder, `install-${source.name}.lock`), installOnce, options.signal);
}

async function findProgram(name: string, { dataFolder, env }: ProvideOptions): Promise<string | null> {
  return (await findOnPath(name, env)) ?? (await findInFolders(name, [join(dataFolder, 'bin')]));
}

async function installProgram(source: ProgramSource, options: ProvideOptions): Promise<string> {
  const { dataFolder, env, report, signal } = options;
  const failures: string[] = [];
  const go = source.goModule === undefined ? null : await findOnPath('go', env);
  if (go !== null && source.goModule !== undefined) {
    const version = source.goModule.split('@')[1] ?? '';
    report(`installing ${source.name} ${version} with Go (once, about a minute) …`);
    try {
      return await buildWithGo(source.name, source.goModule, go, options);
    } catch (error) {
      failures.push(`Go: ${describeError(error)}`);
    }
  }
  if (source.debian !== undefined && (await hasDebianTools(env))) {
    report(`installing ${source.name} from Debian's archive (once, a few seconds) …`);
    try {
      return await extractDebianProgram(source.name, source.debian, { dataFolder, signal });
    } catch (error) {
      failures.push(`Debian: ${describeError(error)}`);
    }
  }
  const tried = failures.length === 0 ? '' : ` (${failures.join('; ')})`;
  throw new StackError('PROGRAM_MISSING', `${source.name} is missing: ${source.advice}${tried}`);
}

async function buildWithGo(
  name: string,
  module: string,
  go: string,
  { dataFolder, env, signal }: ProvideOptions,
): Promise<string> {
  const bin = join(dataFolder, 'bin');
  const draft = join(dataFolder, `install-${name}`);
  await mkdir(bin, { recursive: true });
  // Accounts without a home have no place for Go's caches either.
  const caches = env.HOME ? {} : { GOPATH: join(dataFolder, 'go'), GOCACHE: join(dataFolder, 'go', 'cache') };
  await runProgramOrThrow(go, ['install', module], {
    env: { ...env, ...caches, GOBIN: draft, GOFLAGS: '-mod=mod' },
    signal,
  });
  await rename(join(draft, name), join(bin, name));
  await rm(draft, { recursive: true, force: true });
  return join(bin, name);
}
