// Takes a program out of a Debian package without installing it: no root needed, and no service is started.

import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { type AptArchive, createAptArchive } from './apt-archive.ts';
import { withLock } from './file-lock.ts';
import { runProgram, runProgramOrThrow } from './run-program.ts';
import { StackError } from './stack-error.ts';

export type DebianProgram = {
  /** The Debian package, such as `nsd`. */
  packageName: string;
  /** The program's path inside the package, such as `usr/sbin/nsd`. */
  pathInPackage: string;
};

export type DebianOptions = { dataFolder: string; signal?: AbortSignal | undefined };

// Libraries of libraries: in practice one round is enough.
const maxLibraryRounds = 4;

/**
 * Downloads the package, unpacks it under `<dataFolder>/debian/<name>` together with the shared libraries
 * that this machine lacks, and writes a starter to `<dataFolder>/bin/<name>` that finds those libraries.
 * Returns the starter's path. Rejects with `PROGRAM_FAILED` when the archive cannot be reached or a library
 * stays missing.
 */
export async function extractDebianProgram(
  name: string,
  { packageName, pathInPackage }: DebianProgram,
  { dataFolder, signal }: DebianOptions,
): Promise<string> {
  const root = await replaceFolder(join(dataFolder, 'debian'), name, signal, async (draft, archive) => {
    await unpackPackages([packageName], draft, archive);
    await addMissingLibraries(join(draft, pathInPackage), packageName, draft, archive);
  });
  return writeStarter(name, join(root, pathInPackage), await findLibraryFolders(root), dataFolder);
}

/** Downloads and unpacks one package under `<dataFolder>/debian/<packageName>` and returns that folder. */
export function unpackDebianPackage(
  packageName: string,
  { dataFolder, signal }: DebianOptions,
): Promise<string> {
  return replaceFolder(join(dataFolder, 'debian'), packageName, signal, (draft, archive) =>
    unpackPackages([packageName], draft, archive),
  );
}

/** Fills a draft and gives it the folder's name only once it is complete. One at a time: apt's state is shared. */
async function replaceFolder(
  parent: string,
  name: string,
  signal: AbortSignal | undefined,
  fill: (draft: string, archive: AptArchive) => Promise<void>,
): Promise<string> {
  const archive = createAptArchive(join(parent, 'apt'), signal);
  const replace = () => replaceLocked(join(parent, name), (draft) => fill(draft, archive));
  return withLock(join(parent, 'lock'), replace, signal);
}

async function replaceLocked(folder: string, fill: (draft: string) => Promise<void>): Promise<string> {
  const draft = `${folder}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  await fill(draft);
  await rm(folder, { recursive: true, force: true });
  await rename(draft, folder);
  return folder;
}

async function unpackPackages(names: readonly string[], root: string, archive: AptArchive): Promise<void> {
  const downloads = `${root}.download`;
  await rm(downloads, { recursive: true, force: true });
  await mkdir(downloads, { recursive: true });
  await archive.download(names, downloads);
  for (const file of await readdir(downloads)) {
    if (file.endsWith('.deb')) await runProgramOrThrow('dpkg', ['-x', join(downloads, file), root]);
  }
  await rm(downloads, { recursive: true, force: true });
}

async function addMissingLibraries(
  program: string,
  packageName: string,
  root: string,
  archive: AptArchive,
): Promise<void> {
  let owners = [packageName];
  for (let round = 0; round < maxLibraryRounds; round += 1) {
    if ((await listMissingLibraries(program, root)).length === 0) return;
    owners = await archive.listLibraryDependencies(owners);
    if (owners.length === 0) break;
    await unpackPackages(owners, root, archive);
  }
  const missing = await listMissingLibraries(program, root);
  if (missing.length === 0) return;
  throw new StackError('PROGRAM_FAILED', `${packageName} lacks the shared libraries ${missing.join(', ')}`);
}

async function listMissingLibraries(program: string, root: string): Promise<string[]> {
  const folders = await findLibraryFolders(root);
  const env = { ...process.env, LD_LIBRARY_PATH: folders.join(':') };
  const { stdout } = await runProgram('ldd', [program], { env });
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '');
}

async function findLibraryFolders(root: string): Promise<string[]> {
  const files = await readdir(root, { recursive: true, withFileTypes: true });
  const libraries = files.filter((file) => !file.isDirectory() && /\.so(\.|$)/.test(file.name));
  return [...new Set(libraries.map((file) => file.parentPath))];
}

/** The starter replaces itself by the program (`exec`), so that the pid of the one is the pid of the other. */
async function writeStarter(
  name: string,
  program: string,
  libraryFolders: readonly string[],
  dataFolder: string,
): Promise<string> {
  const path = join(dataFolder, 'bin', name);
  // Relative to the starter: the data folder may be moved as a whole.
  const fromHere = (target: string): string => `"$here"/${quoteForShell(relative(dirname(path), target))}`;
  const libraries = libraryFolders.map(fromHere).join(':');
  const lines = [
    '#!/bin/sh',
    'here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd)',
    ...(libraries === '' ? [] : [`export LD_LIBRARY_PATH=${libraries}`]),
    `exec ${fromHere(program)} "$@"`,
    '',
  ];
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.new`;
  await writeFile(draft, lines.join('\n'));
  await chmod(draft, 0o755);
  await rename(draft, path);
  return path;
}

function quoteForShell(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
