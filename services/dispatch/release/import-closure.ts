// What a program consists of: the source files it imports, and the npm packages that these name.
import { readFile } from 'node:fs/promises';
import { isBuiltin, stripTypeScriptTypes } from 'node:module';
import { dirname, join } from 'node:path';

const importForms =
  /(?:^|\n)\s*(?:import|export)\b[^'";]*?\bfrom\s*['"]([^'"]+)['"]|(?:^|\n)\s*import\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/g;

export type ImportClosure = {
  /** Relative to the root, sorted. */
  files: string[];
  /** Names of packages, sorted. */
  packages: string[];
};

/** Follows the imports of `entry` (relative to `root`) that are left when the types are gone. */
export async function findImportClosure(root: string, entry: string): Promise<ImportClosure> {
  const files = new Set<string>([entry]);
  const packages = new Set<string>();
  // A set that grows while it is gone through: what is added is visited, too.
  for (const file of files) {
    for (const target of readImports(await readFile(join(root, file), 'utf8'))) {
      if (target.startsWith('.')) files.add(join(dirname(file), target));
      else if (!isBuiltin(target)) packages.add(packageOf(target));
    }
  }
  return { files: [...files].sort(), packages: [...packages].sort() };
}

function readImports(source: string): string[] {
  return [...stripTypeScriptTypes(source).matchAll(importForms)].map(
    ([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? '',
  );
}

/** `@scope/name/part` → `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}
