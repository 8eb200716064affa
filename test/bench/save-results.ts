// Writes the measured part of results.md and the plots; what was tried is written by hand around it.
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Curve, Figure } from './bench.ts';
import { drawCurve } from './draw-curve.ts';
import { tabulateFigures } from './render-figures.ts';

const resultsFile = join(import.meta.dirname, 'results.md');
const begin = (bench: string) => `<!-- measured: ${bench} -->`;
const end = '<!-- end -->';

/** Replaces what stands between the marks of this bench. */
export async function saveResults(bench: string, figures: Figure[], curves: Curve[]): Promise<void> {
  const text = await readFile(resultsFile, 'utf8');
  const from = text.indexOf(begin(bench));
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`results.md has no place for ${bench}`);
  const plots = curves.map(({ name, title }) => `![${title}](plots/${name}.svg)`);
  const measured = [begin(bench), '', describeMachine(), '', ...tabulateFigures(figures), ''];
  const lines = plots.length === 0 ? measured : [...measured, ...plots, ''];
  await writeFile(resultsFile, text.slice(0, from) + lines.join('\n') + text.slice(to));
  for (const curve of curves) {
    await writeFile(join(import.meta.dirname, 'plots', `${curve.name}.svg`), drawCurve(curve));
  }
}

function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const memory = Math.round(totalmem() / 1024 ** 3);
  const day = new Date().toISOString().slice(0, 10);
  return `${day}, ${availableParallelism()} cores of ${model}, ${memory} GiB, ${process.platform}, Node ${process.versions.node}:`;
}
