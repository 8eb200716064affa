// The npm packages that some packages need to run, and the files of them that are worth shipping.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { isThere } from '../../../infra/is-there.ts';

const manifestSchema = z.object({ dependencies: z.record(z.string(), z.string()).default({}) });

/** Of a package, not of what it does: documentation, types, sources of what was compiled. */
const dispensableFile =
  /\.(?:md|markdown|map|d\.[cm]?ts|ts|tsx|yml|flow)$|^\.|^(?:tsconfig|package-lock)\.json$/;
const dispensableFolder = new Set([
  'test',
  'tests',
  'doc',
  'docs',
  'example',
  'examples',
  'benchmark',
  'benchmarks',
  'bench',
]);

/**
 * The files of the packages named and of all that these depend on, relative to `root` and sorted. Optional and peer
 * dependencies are left out. Throws when one is not installed.
 */
export async function findPackageFiles(root: string, packages: readonly string[]): Promise<string[]> {
  const folders = new Set<string>();
  for (const name of packages) folders.add(await findPackage(name, root, root));
  // A set that grows while it is gone through: what is added is visited, too.
  for (const folder of folders) {
    const manifest = manifestSchema.parse(JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')));
    for (const name of Object.keys(manifest.dependencies)) folders.add(await findPackage(name, folder, root));
  }
  const lists = await Promise.all([...folders].map((folder) => listFiles(folder, true)));
  return lists
    .flat()
    .map((file) => relative(root, file))
    .sort();
}

/** As Node.js looks for it: in `node_modules` of the folder, then of those above it, up to the root. */
async function findPackage(name: string, from: string, root: string): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name);
    if (await isThere(join(candidate, 'package.json'))) return candidate;
    if (folder === root) throw new Error(`the package ${name} is not installed below ${root}`);
  }
}

/** Packages within a package are found as dependencies, if they are any. */
async function listFiles(folder: string, isTop: boolean): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (entry.name === 'node_modules' || (isTop && dispensableFolder.has(entry.name))) continue;
      files.push(...(await listFiles(path, false)));
    } else if (entry.isFile() && !dispensableFile.test(entry.name)) {
      files.push(path);
    }
  }
  return files;
}
