// The layout is the architecture: who may import whom.
import { readdir, readFile } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const importForm =
  /(?:^|\n)\s*(?:import|export)\s[^'"]*?from\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)|(?:^|\n)\s*import\s+'([^']+)'/g;

type Import = { file: string; target: string };

/** First two path segments for services, else the first: `services/gateway`, `infra`. */
function areaOf(file: string): string {
  const [top = '', second = ''] = file.split('/');
  return top === 'services' ? `${top}/${second}` : top;
}

async function readImports(): Promise<Import[]> {
  const imports: Import[] = [];
  for (const top of ['contracts', 'infra', 'services', 'test']) {
    for (const entry of await readdir(path.join(root, top), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !entry.name.endsWith('.ts')) continue;
      const file = path.relative(root, path.join(entry.parentPath, entry.name));
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

function isPackage(target: string): boolean {
  return !/^(contracts|infra|services|test|package\.json)(\/|$)/.test(target);
}

function isBuiltin(target: string): boolean {
  return target.startsWith('node:') || builtinModules.includes(target);
}

const imports = await readImports();

function faults(isAllowed: (entry: Import) => boolean, area: string): string[] {
  return imports
    .filter(({ file }) => file.startsWith(`${area}/`))
    .filter((entry) => !isAllowed(entry))
    .map(({ file, target }) => `${file} imports ${target}`);
}

test('the reader of imports finds what there is to find', () => {
  expect(imports).toContainEqual({ file: 'contracts/probe.ts', target: 'zod' });
  expect(imports).toContainEqual({ file: 'services/gateway/main.ts', target: 'infra/bus/serve.ts' });
});

test('contracts import zod, Node itself and each other', () => {
  const isAllowed = ({ target }: Import) =>
    target === 'zod' || isBuiltin(target) || (!isPackage(target) && areaOf(target) === 'contracts');
  expect(faults(isAllowed, 'contracts')).toEqual([]);
});

test('infra imports contracts, packages and itself', () => {
  const isAllowed = ({ target }: Import) =>
    isPackage(target) || ['infra', 'contracts'].includes(areaOf(target));
  expect(faults(isAllowed, 'infra')).toEqual([]);
});

test('a service imports infra, contracts, packages and its own folder, never another service', () => {
  const isAllowed = ({ file, target }: Import) =>
    isPackage(target) || ['infra', 'contracts', areaOf(file)].includes(areaOf(target));
  expect(faults(isAllowed, 'services')).toEqual([]);
});

test('nothing outside test imports test', () => {
  const outside = imports.filter(({ file }) => areaOf(file) !== 'test');
  expect(outside.filter(({ target }) => areaOf(target) === 'test')).toEqual([]);
});

test('the nats package is imported in one module of the source', () => {
  const importers = imports.filter(({ file, target }) => areaOf(file) !== 'test' && target === 'nats');
  expect(importers.map(({ file }) => file)).toEqual(['infra/bus/nats-bus.ts']);
});

test('the environment is read in main files only', async () => {
  const readers: string[] = [];
  for (const entry of await readdir(path.join(root, 'services'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('main.ts')) continue;
    const file = path.join(entry.parentPath, entry.name);
    if ((await readFile(file, 'utf8')).includes('process.env')) readers.push(path.relative(root, file));
  }
  expect(readers).toEqual([]);
});
