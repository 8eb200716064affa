// Verbose rows → the table that people read. Pure: rows in, text out.
import type { VerboseRow } from '../../../contracts/probe.ts';
import {
  agentColumn,
  answersTrailer,
  delayColumn,
  formatSummary,
  nameColumn,
  placeColumn,
  serverColumn,
  statusColumn,
  typeColumn,
} from '../cell-columns.ts';
import { renderTable, type TableOptions } from '../terminal/render-table.ts';

/**
 * One line for each row in the given order, further lines for further answers, and a line of counts; ends with a
 * newline. NAME and TYPE are shown where rows differ in them.
 */
export function renderCells(rows: readonly VerboseRow[], options: TableOptions): string {
  const hasSeveral = (read: (row: VerboseRow) => string | undefined) => new Set(rows.map(read)).size > 1;
  const columns = [
    agentColumn,
    placeColumn,
    serverColumn,
    ...(hasSeveral(({ domain }) => domain) ? [nameColumn] : []),
    ...(hasSeveral(({ rtype }) => rtype) ? [typeColumn] : []),
    statusColumn,
    delayColumn,
  ];
  const lines = renderTable(rows, { columns, trailer: answersTrailer }, options);
  return `${[...lines, '', formatSummary(rows)].join('\n')}\n`;
}
