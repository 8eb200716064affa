// Writes the measured parts of results.md and the plots; what was tried is written by hand around them.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Curve, Figure } from './bench.ts';
import { drawCurve } from './draw-curve.ts';
import { tabulateFigures } from './render-figures.ts';

const beginOf = (bench: string) => `<!-- measured: ${bench} -->`;
const end = '<!-- end -->';

/** Replaces what stands between the marks of this bench in `<folder>/results.md`; plots go to `<folder>/plots`. */
export async function saveResults(
  folder: string,
  bench: string,
  { figures, curves }: { figures: Figure[]; curves: Curve[] },
): Promise<void> {
  const file = join(folder, 'results.md');
  const text = await readFile(file, 'utf8');
  const from = text.indexOf(beginOf(bench));
  const to = text.indexOf(end, from);
  if (from === -1 || to === -1) throw new Error(`results.md has no place for ${bench}`);
  const plots = curves.map(({ name, title }) => `![${title}](plots/${name}.svg)`);
  const measured = [beginOf(bench), '', describeMachine(), '', ...tabulateFigures(figures), '', ...plots];
  const lines = plots.length === 0 ? measured : [...measured, ''];
  await writeFile(file, text.slice(0, from) + lines.join('\n') + text.slice(to));
  await mkdir(join(folder, 'plots'), { recursive: true });
  for (const curve of curves) await writeFile(join(folder, 'plots', `${curve.name}.svg`), drawCurve(curve));
}

function describeMachine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const memory = Math.round(totalmem() / 1024 ** 3);
  const day = new Date().toISOString().slice(0, 10);
  const node = `Node ${process.versions.node}`;
  return `${day}, ${availableParallelism()} cores of ${model}, ${memory} GiB, ${process.platform}, ${node}:`;
}
