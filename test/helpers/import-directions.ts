// The layout is the architecture: who may import whom. `npm run check` and the tests both ask here.
import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const importForm =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s+'([^']+)'/g;

export type Import = { file: string; target: string };

/** First two path segments for services, else the first: `services/gateway`, `infra`. */
function areaOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'services' ? `${top}/${second}` : top;
}

/** Every import of every source file; the target of a relative one as a path from the root. */
export async function readImports(): Promise<Import[]> {
  const imports: Import[] = [];
  for (const top of ['contracts', 'infra', 'services', 'test']) {
    for (const file of await listSources(top)) {
      const text = await readFile(path.join(root, file), 'utf8');
      for (const [, from, dynamic, bare] of text.matchAll(importForm)) {
        const specifier = from ?? dynamic ?? bare ?? '';
        const target = specifier.startsWith('.') ? path.join(path.dirname(file), specifier) : specifier;
        imports.push({ file, target });
      }
    }
  }
  return imports;
}

async function listSources(top: string): Promise<string[]> {
  const entries = await readdir(path.join(root, top), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)));
}

function isPackage(target: string): boolean {
  return !/^(contracts|infra|services|test|package\.json)(\/|$)/.test(target);
}

function isBuiltin(target: string): boolean {
  return target.startsWith('node:') || builtinModules.includes(target);
}

type Rule = { area: string; sentence: string; isAllowed(entry: Import): boolean };

const rules: Rule[] = [
  {
    area: 'contracts',
    sentence: 'contracts import zod, Node itself and each other',
    isAllowed: ({ target }) => target === 'zod' || isBuiltin(target) || areaOf(target) === 'contracts',
  },
  {
    area: 'infra',
    sentence: 'infra imports contracts, packages and itself',
    isAllowed: ({ target }) => isPackage(target) || ['infra', 'contracts'].includes(areaOf(target)),
  },
  {
    area: 'services',
    sentence: 'a service imports infra, contracts, packages and its own folder, never another service',
    isAllowed: ({ file, target }) =>
      isPackage(target) || ['infra', 'contracts', areaOf(file)].includes(areaOf(target)),
  },
  {
    area: 'infra',
    sentence: 'the nats package is imported in one module',
    isAllowed: ({ file, target }) => target !== 'nats' || file === 'infra/bus/nats-bus.ts',
  },
  {
    area: 'services',
    sentence: 'no service imports the nats package',
    isAllowed: ({ target }) => target !== 'nats',
  },
];

/** One line for every import that goes where it must not. */
export function findForbiddenImports(imports: Import[]): string[] {
  return rules.flatMap(({ area, sentence, isAllowed }) =>
    imports
      .filter((entry) => entry.file.startsWith(`${area}/`) && !isAllowed(entry))
      .map(({ file, target }) => `${file} imports ${target}: ${sentence}`),
  );
}

/** Files of services other than their main files that read the environment. */
export async function findEnvironmentReaders(): Promise<string[]> {
  const readers: string[] = [];
  for (const file of await listSources('services')) {
    const name = path.basename(file);
    if (name === 'main.ts' || name.endsWith('-main.ts')) continue;
    if ((await readFile(path.join(root, file), 'utf8')).includes('process.env')) {
      readers.push(`${file} reads the environment: only main files do`);
    }
  }
  return readers;
}
