// Writing the generated files and finding those that are stale, in a folder of the test's own.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  createGeneratedFiles,
  findStaleFiles,
  writeGeneratedFiles,
} from '../../contracts/generated-files.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'probe-generated-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('files just written are not stale', () => {
  const files = createGeneratedFiles();
  writeGeneratedFiles(folder, files);
  expect(findStaleFiles(folder, files)).toEqual([]);
});

test('a folder that is not there misses every file', () => {
  const stale = findStaleFiles(join(folder, 'none'), createGeneratedFiles());
  expect(stale).toHaveLength(createGeneratedFiles().size);
  expect(stale).toContain('generated/asyncapi.json: missing');
});

test('a changed, a missing and a left-over file have one line each', () => {
  const files = createGeneratedFiles();
  writeGeneratedFiles(folder, files);
  writeFileSync(join(folder, 'generated/asyncapi.json'), '{}\n');
  rmSync(join(folder, 'generated/schema/error.reply.json'));
  writeFileSync(join(folder, 'generated/schema/old.json'), '{}\n');
  expect(findStaleFiles(folder, files)).toEqual([
    'generated/asyncapi.json: out of date',
    'generated/schema/error.reply.json: missing',
    'generated/schema/old.json: generated no longer',
  ]);
});

test('writing removes what is generated no longer', () => {
  const files = createGeneratedFiles();
  writeGeneratedFiles(folder, files);
  writeFileSync(join(folder, 'generated/schema/old.json'), '{}\n');
  writeGeneratedFiles(folder, files);
  expect(readdirSync(join(folder, 'generated/schema'))).not.toContain('old.json');
});

test('the generated files of this repository are current', () => {
  const contracts = join(import.meta.dirname, '../../contracts');
  expect(findStaleFiles(contracts, createGeneratedFiles())).toEqual([]);
});
