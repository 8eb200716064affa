// The generated files as text, written below contracts/ or compared with what is there.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { createAsyncApiDocument } from './asyncapi.ts';
import { createCrontabDocument } from './crontab-openapi.ts';
import { createDispatchDocument } from './dispatch-openapi.ts';
import { createJobDocument } from './job-openapi.ts';
import { collectJsonSchemas } from './json-schemas.ts';
import { renderPythonConstants } from './python-constants.ts';

/** This folder holds generated files only: any other file in it is left over. */
const ownFolder = 'generated';

/** Text of every generated file under its path below contracts/, `/` between the parts. */
export function createGeneratedFiles(): Map<string, string> {
  const files = new Map([
    [`${ownFolder}/asyncapi.json`, formatJson(createAsyncApiDocument())],
    [`${ownFolder}/openapi-crontab.json`, formatJson(createCrontabDocument())],
    [`${ownFolder}/openapi-dispatch.json`, formatJson(createDispatchDocument())],
    [`${ownFolder}/openapi-job.json`, formatJson(createJobDocument())],
    ['python/src/probe_task/_constants.py', renderPythonConstants()],
  ]);
  for (const [name, schema] of collectJsonSchemas()) {
    files.set(`${ownFolder}/schema/${name}.json`, formatJson(schema));
  }
  return files;
}

/** Writes the files below `root` and removes what is left over from before. */
export function writeGeneratedFiles(root: string, files: Map<string, string>): void {
  for (const path of listOwnFiles(root)) if (!files.has(path)) rmSync(join(root, path));
  for (const [path, text] of files) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

/** One line for every file below `root` that is missing, differs, or is generated no longer. */
export function findStaleFiles(root: string, files: Map<string, string>): string[] {
  const stale: string[] = [];
  for (const [path, text] of files) {
    const file = join(root, path);
    if (!existsSync(file)) stale.push(`${path}: missing`);
    else if (readFileSync(file, 'utf8') !== text) stale.push(`${path}: out of date`);
  }
  for (const path of listOwnFiles(root)) if (!files.has(path)) stale.push(`${path}: generated no longer`);
  return stale.sort();
}

function listOwnFiles(root: string): string[] {
  const folder = join(root, ownFolder);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll(sep, '/'));
}

function formatJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
