// Verbose rows → the table that people read. Pure: rows in, text out.
import { styleText } from 'node:util';
import type { SectionRecord, VerboseRow } from '../../contracts/probe.ts';
import { cutColumns, displayWidth, padColumns, wrapColumns } from './display-width.ts';
import { printable } from './printable-text.ts';
import { isFailedCell, summarizeCells } from './summarize-cells.ts';

export type TableOptions = {
  /** Columns of the terminal; undefined when the text goes elsewhere, and then nothing is cut or wrapped. */
  width: number | undefined;
  hasColour: boolean;
};

type Column = {
  title: string;
  align?: 'right';
  /** May lose its end on a terminal that is too narrow. */
  isElastic?: boolean;
  cell(row: VerboseRow): string;
  colour?(row: VerboseRow): Colour;
};

type Colour = 'bold' | 'green' | 'yellow' | 'red';

/** A column with the columns of the terminal that it takes. */
type SizedColumn = Column & { size: number };

const gap = '  ';
const nothing = '-';
const answersTitle = 'ANSWERS';
/** Narrower than this beside the other columns, the answers go below their row. */
const minAnswersWidth = 20;
const answersIndent = '    ';
const minElasticWidth = 8;

/**
 * One line for each row in the given order, further lines for further answers, and a line of counts; ends with a
 * newline. NAME and TYPE are shown where rows differ in them.
 */
export function renderTable(rows: readonly VerboseRow[], { width, hasColour }: TableOptions): string {
  const lineWidth = width ?? Number.POSITIVE_INFINITY;
  const columns = fitColumns(sizeColumns(chooseColumns(rows), rows), lineWidth);
  const answersAt = columns.reduce((sum, { size }) => sum + size + gap.length, 0);
  const isBeside = lineWidth - answersAt >= Math.min(minAnswersWidth, widestAnswer(rows));
  const paint = hasColour ? paintWith : paintNot;

  const titles = columns.map(({ title, align, size }) => padColumns(title, size, align));
  const lines = [paint('bold', [...titles, isBeside ? answersTitle : ''].join(gap).trimEnd())];
  for (const row of rows) {
    const cells = columns.map(({ cell, size, align, colour }) => {
      const text = padColumns(cutColumns(cell(row), size), size, align);
      return colour === undefined ? text : paint(colour(row), text);
    });
    if (isBeside) {
      const [first = nothing, ...further] = wrapAnswers(row, lineWidth - answersAt);
      lines.push([...cells, first].join(gap));
      lines.push(...further.map((line) => ' '.repeat(answersAt) + line));
    } else {
      lines.push(cells.join(gap));
      lines.push(...wrapAnswers(row, lineWidth - answersIndent.length).map((line) => answersIndent + line));
    }
  }
  return `${[...lines, '', formatSummary(rows)].join('\n')}\n`;
}

function chooseColumns(rows: readonly VerboseRow[]): Column[] {
  const hasSeveral = (read: (row: VerboseRow) => string | undefined) => new Set(rows.map(read)).size > 1;
  return [
    { title: 'AGENT', isElastic: true, cell: ({ agent_id: id }) => printable(id ?? nothing) },
    { title: 'PLACE', isElastic: true, cell: formatPlace },
    { title: 'SERVER', isElastic: true, cell: ({ dns_server: server }) => printable(server || nothing) },
    ...(hasSeveral(({ domain }) => domain)
      ? [{ title: 'NAME', isElastic: true, cell: ({ domain }: VerboseRow) => printable(domain) }]
      : []),
    ...(hasSeveral(({ rtype }) => rtype)
      ? [{ title: 'TYPE', cell: ({ rtype }: VerboseRow) => printable(rtype ?? nothing) }]
      : []),
    { title: 'STATUS', colour: statusColour, cell: ({ dns_response_status: status }) => printable(status) },
    { title: 'DELAY ms', align: 'right', cell: ({ delay }) => formatDelay(delay) },
  ];
}

function sizeColumns(columns: Column[], rows: readonly VerboseRow[]): SizedColumn[] {
  return columns.map((column) => ({
    ...column,
    size: rows.reduce(
      (size, row) => Math.max(size, displayWidth(column.cell(row))),
      displayWidth(column.title),
    ),
  }));
}

/** Takes from the widest of the elastic columns until the line fits, or until all of them are at their least. */
function fitColumns(columns: SizedColumn[], width: number): SizedColumn[] {
  const fitted = columns.map((column) => ({ ...column }));
  const elastic = fitted.filter(({ isElastic, size }) => isElastic && size > minElasticWidth);
  let excess = fitted.reduce((sum, { size }) => sum + size, gap.length * (fitted.length - 1)) - width;
  while (excess > 0) {
    const widest = elastic.toSorted((first, second) => second.size - first.size)[0];
    if (widest === undefined || widest.size <= minElasticWidth) break;
    widest.size -= 1;
    excess -= 1;
  }
  return fitted;
}

function formatPlace({ device: { country, province, city, carrier } }: VerboseRow): string {
  return printable(`${country}/${province}/${city} ${carrier}`.trim());
}

function formatDelay(delay: number | null): string {
  return delay === null ? nothing : delay.toFixed(2);
}

/** The answer records in their order; those of another type than the asked one say which. */
function formatAnswers({ answer_section: answers, rtype }: VerboseRow): string[] {
  const format = ({ rdtype, result }: SectionRecord) => (rdtype === rtype ? result : `${rdtype} ${result}`);
  return answers.map((record) => printable(format(record)));
}

function widestAnswer(rows: readonly VerboseRow[]): number {
  return rows
    .flatMap(formatAnswers)
    .reduce((widest, answer) => Math.max(widest, displayWidth(answer)), answersTitle.length);
}

/** The lines of all answers; those that go on with an answer are indented, so that they look like no further record. */
function wrapAnswers(row: VerboseRow, width: number): string[] {
  return formatAnswers(row).flatMap((answer) => {
    if (displayWidth(answer) <= width) return [answer];
    const [first = '', ...rest] = wrapColumns(answer, Math.max(1, width - gap.length));
    return [first, ...rest.map((line) => gap + line)];
  });
}

function formatSummary(rows: readonly VerboseRow[]): string {
  const { cells, answered, statuses, medianDelayMs } = summarizeCells(rows);
  const counts = statuses.map(([status, count]) => `${printable(status)} ${count}`).join(', ');
  const delay = medianDelayMs === null ? nothing : `${formatDelay(medianDelayMs)} ms`;
  return `${cells} ${cells === 1 ? 'cell' : 'cells'}, ${answered} answered; ${counts || nothing}; p50 delay ${delay}`;
}

function statusColour(row: VerboseRow): Colour {
  if (isFailedCell(row)) return 'red';
  return row.dns_response_status === 'NOERROR' ? 'green' : 'yellow';
}

function paintWith(colour: Colour, text: string): string {
  return styleText(colour, text, { validateStream: false });
}

function paintNot(_colour: Colour, text: string): string {
  return text;
}
