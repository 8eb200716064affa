import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { figureOf } from './compare.ts';
import { saveResults } from './save-results.ts';

const before = [
  '# Speed',
  '<!-- measured: dns -->',
  'old figures',
  '<!-- end -->',
  'tried: this',
  '<!-- measured: scale -->',
  '<!-- end -->',
  'tried: that',
  '',
];

async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'probe-task-results-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'results.md'), before.join('\n'));
  return folder;
}

const figures = [{ bench: 'dns', ...figureOf({ metric: 'speed', unit: 'names/s', ours: [1, 2, 3] }) }];
const curve = { name: 'dns', title: 'Speed', x: 'servers', y: 'names/s', lines: [] };

test('the figures of a bench take the place of its earlier ones, and nothing else changes', async () => {
  const folder = await makeFolder();
  await saveResults(folder, 'dns', { figures, curves: [] });
  await saveResults(folder, 'dns', { figures, curves: [] });
  const text = await readFile(join(folder, 'results.md'), 'utf8');
  expect(text.match(/\| dns \| speed \| 2 names\/s \| 1–3 \|/g)).toHaveLength(1);
  expect(text).not.toContain('old figures');
  const [head, rest] = [text.slice(0, text.indexOf('\n\n')), text.slice(text.indexOf('<!-- end -->'))];
  expect(head.split('\n')).toEqual(before.slice(0, 2));
  expect(rest.split('\n')).toEqual(before.slice(3));
});

test('the machine is named', async () => {
  const folder = await makeFolder();
  await saveResults(folder, 'scale', { figures, curves: [] });
  const text = await readFile(join(folder, 'results.md'), 'utf8');
  expect(text).toMatch(/^\d{4}-\d\d-\d\d, \d+ cores of .+, \d+ GiB, \w+, Node 24\.\d+\.\d+:$/m);
});

test('a curve is drawn beside the text, which shows it', async () => {
  const folder = await makeFolder();
  const lines = [{ name: 'ours', points: [{ x: 1, y: 1 }] }];
  await saveResults(folder, 'dns', { figures, curves: [{ ...curve, lines }] });
  expect(await readFile(join(folder, 'results.md'), 'utf8')).toContain(
    '![Speed](plots/dns.svg)\n<!-- end -->',
  );
  expect(await readFile(join(folder, 'plots', 'dns.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s);
});

test('a bench without a place in the text is told', async () => {
  const folder = await makeFolder();
  await expect(saveResults(folder, 'other', { figures, curves: [] })).rejects.toThrow(
    'results.md has no place for other',
  );
});
