// Rows → a table within the columns of a terminal. Pure: rows in, lines out.
import { styleText } from 'node:util';
import { cutColumns, displayWidth, padColumns, wrapColumns } from './display-width.ts';

export type TableOptions = {
  /** Columns of the terminal; undefined when the text goes elsewhere, and then nothing is cut or wrapped. */
  width: number | undefined;
  hasColour: boolean;
};

export type Colour = 'bold' | 'green' | 'yellow' | 'red';

/** What its cells hold is printable. */
export type Column<Row> = {
  title: string;
  align?: 'right';
  /** May lose its end on a terminal that is too narrow. */
  isElastic?: boolean;
  /** Goes below its row, with its title, on a terminal that is too narrow. */
  isFoldable?: boolean;
  cell(row: Row): string;
  /** The cell within so many columns; without it the end is cut off. */
  shorten?(row: Row, size: number): string;
  colour?(row: Row): Colour | undefined;
};

/** The last of a table, of several lines for each row: beside it where there is room, else below it. */
export type Trailer<Row> = { title: string; lines(row: Row): string[] };

/** A column with the columns of the terminal that it takes. */
type SizedColumn<Row> = Column<Row> & { size: number };

/** What stands for a value that is not there. */
export const nothing = '-';

const gap = '  ';
const indent = '    ';
const minElasticWidth = 8;
/** Narrower than this beside the other columns, the trailer goes below its row. */
const minTrailerWidth = 20;
/** What a folded column holds of these is not worth a line. */
const empty = new Set([nothing, '0', '']);

/** A line of titles, and one line or more for each row in the given order. */
export function renderTable<Row>(
  rows: readonly Row[],
  { columns, trailer }: { columns: Column<Row>[]; trailer?: Trailer<Row> },
  { width, hasColour }: TableOptions,
): string[] {
  const lineWidth = width ?? Number.POSITIVE_INFINITY;
  const paint = hasColour ? paintWith : paintNot;
  const { beside, below } = foldColumns(sizeColumns(columns, rows), lineWidth);
  const fitted = shrinkColumns(beside, lineWidth);
  const trailerAt = fitted.reduce((sum, { size }) => sum + size + gap.length, 0);
  const widest = trailer === undefined ? 0 : widestLine(trailer, rows);
  const hasRoom = below.length === 0 && lineWidth - trailerAt >= Math.min(minTrailerWidth, widest);
  const isTrailerBeside = trailer !== undefined && hasRoom;

  const titles = fitted.map(({ title, align, size }) => padColumns(title, size, align));
  const heading = [...titles, isTrailerBeside ? trailer.title : ''].join(gap).trimEnd();
  const lines = [paint('bold', heading)];
  for (const row of rows) {
    const cells = fitted.map((column) => paint(column.colour?.(row), formatCell(column, row)));
    const wrapWidth = lineWidth - (isTrailerBeside ? trailerAt : indent.length);
    const trailing = trailer === undefined ? [] : wrapLines(trailer.lines(row), wrapWidth);
    if (isTrailerBeside) {
      const [first = nothing, ...further] = trailing;
      lines.push([...cells, first].join(gap));
      lines.push(...further.map((line) => ' '.repeat(trailerAt) + line));
    } else {
      const folded = foldCells(below, row, wrapWidth);
      lines.push(cells.join(gap).trimEnd());
      lines.push(...[...folded, ...trailing].map((line) => indent + line));
    }
  }
  return lines;
}

function formatCell<Row>(column: SizedColumn<Row>, row: Row): string {
  const { size, align } = column;
  const text = column.cell(row);
  const isTooWide = displayWidth(text) > size;
  const fitting = isTooWide && column.shorten !== undefined ? column.shorten(row, size) : text;
  return padColumns(cutColumns(fitting, size), size, align);
}

function sizeColumns<Row>(columns: Column<Row>[], rows: readonly Row[]): SizedColumn<Row>[] {
  return columns.map((column) => ({
    ...column,
    size: rows.reduce(
      (size, row) => Math.max(size, displayWidth(column.cell(row))),
      displayWidth(column.title),
    ),
  }));
}

/** Takes foldable columns out, the last one first, until the line fits or none is left. */
function foldColumns<Row>(
  columns: SizedColumn<Row>[],
  width: number,
): { beside: SizedColumn<Row>[]; below: SizedColumn<Row>[] } {
  const below = new Set<SizedColumn<Row>>();
  const remaining = () => columns.filter((column) => !below.has(column));
  for (const column of columns.toReversed()) {
    if (lineWidthOf(remaining()) <= width) break;
    if (column.isFoldable) below.add(column);
  }
  return { beside: remaining(), below: columns.filter((column) => below.has(column)) };
}

/** Takes from the widest of the elastic columns until the line fits, or until all of them are at their least. */
function shrinkColumns<Row>(columns: SizedColumn<Row>[], width: number): SizedColumn<Row>[] {
  const fitted = columns.map((column) => ({ ...column }));
  const elastic = fitted.filter(({ isElastic, size }) => isElastic && size > minElasticWidth);
  let excess = lineWidthOf(fitted) - width;
  while (excess > 0) {
    const widest = elastic.toSorted((first, second) => second.size - first.size)[0];
    if (widest === undefined || widest.size <= minElasticWidth) break;
    widest.size -= 1;
    excess -= 1;
  }
  return fitted;
}

function lineWidthOf(columns: readonly { size: number }[]): number {
  return columns.reduce((sum, { size }) => sum + size, gap.length * (columns.length - 1));
}

/** The cells that go below their row, each with its title, where they hold anything. */
function foldCells<Row>(columns: SizedColumn<Row>[], row: Row, width: number): string[] {
  const cells = columns.flatMap(({ title, cell }) => {
    const text = cell(row);
    return empty.has(text) ? [] : [`${title} ${text}`];
  });
  const lines: string[] = [];
  for (const cell of cells) {
    const last = lines.at(-1);
    if (last !== undefined && displayWidth(last + gap + cell) <= width)
      lines[lines.length - 1] = last + gap + cell;
    else lines.push(cell);
  }
  return wrapLines(lines, width);
}

function widestLine<Row>({ title, lines }: Trailer<Row>, rows: readonly Row[]): number {
  return rows.flatMap(lines).reduce((widest, line) => Math.max(widest, displayWidth(line)), title.length);
}

/** What goes on with a line is indented, so that it looks like no further one. */
export function wrapLines(texts: readonly string[], width: number): string[] {
  return texts.flatMap((text) => {
    if (displayWidth(text) <= width) return [text];
    const [first = '', ...rest] = wrapColumns(text, Math.max(1, width - gap.length));
    return [first, ...rest.map((line) => gap + line)];
  });
}

function paintWith(colour: Colour | undefined, text: string): string {
  return colour === undefined ? text : styleText(colour, text, { validateStream: false });
}

function paintNot(_colour: Colour | undefined, text: string): string {
  return text;
}
