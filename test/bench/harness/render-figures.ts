// Figures as lines: a table for people, JSON for programs, Markdown for the record.
import { type Column, renderTable } from '../../../services/cli/terminal/render-table.ts';
import type { Figure, Spread } from './bench.ts';

const none = '-';

const columns: Column<Figure>[] = [
  { title: 'BENCH', cell: ({ bench }) => bench },
  { title: 'METRIC', cell: ({ metric }) => metric },
  { title: 'OURS', align: 'right', cell: ({ ours, unit }) => `${formatNumber(ours)} ${unit}` },
  { title: 'SPREAD', align: 'right', cell: ({ oursSpread }) => formatSpread(oursSpread) },
  { title: 'BESIDE', align: 'right', cell: ({ beside }) => formatNumber(beside) },
  { title: 'SPREAD', align: 'right', cell: ({ besideSpread }) => formatSpread(besideSpread) },
  { title: 'PEER', cell: ({ peer }) => peer ?? none },
  { title: 'RATIO', align: 'right', cell: ({ ratio }) => formatNumber(ratio) },
  { title: 'TARGET', cell: ({ target }) => target ?? none },
  {
    title: 'HOLDS',
    cell: ({ holds }) => (holds === null ? none : holds ? 'yes' : 'NO'),
    colour: ({ holds }) => (holds === null ? undefined : holds ? 'green' : 'red'),
  },
];

/** A line of titles, and one line for each figure. */
export function renderFigures(figures: readonly Figure[], options: { hasColour: boolean }): string[] {
  return renderTable(figures, { columns }, { width: undefined, ...options });
}

/** One JSON object on one line. */
export function formatFigure(figure: Figure): string {
  const { bench, metric, ours, peer, beside, unit, ratio, target, holds, ...more } = figure;
  const { rounds, oursSpread, besideSpread } = more;
  return JSON.stringify({
    bench,
    metric,
    ours,
    peer,
    beside,
    unit,
    ratio,
    target,
    holds,
    rounds,
    ours_spread: oursSpread,
    beside_spread: besideSpread,
  });
}

/** The same columns as a Markdown table. */
export function tabulateFigures(figures: readonly Figure[]): string[] {
  const line = (cells: string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => title.toLowerCase())),
    line(columns.map(({ align }) => (align === 'right' ? '---:' : '---'))),
    ...figures.map((figure) => line(columns.map(({ cell }) => cell(figure)))),
  ];
}

function formatSpread(spread: Spread | null): string {
  return spread === null ? none : spread.map(formatNumber).join('–');
}

/** Three digits, or all of those before the point. */
export function formatNumber(value: number | null): string {
  if (value === null || Number.isNaN(value)) return none;
  const digits = value === 0 ? 0 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString('en-US', { maximumFractionDigits: Math.min(digits, 6) });
}
