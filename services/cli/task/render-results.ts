// Results of recurring tasks → the table that people read. Pure: results in, text out.
import type { TaskResult } from '../../../contracts/task-result.ts';
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
import type { Column, TableOptions } from '../terminal/render-table.ts';
import { type HistoryPage, renderHistory } from './render-history.ts';

const columns: Column<TaskResult>[] = [
  agentColumn,
  { ...placeColumn, isFoldable: true },
  { ...serverColumn, isFoldable: true },
  nameColumn,
  typeColumn,
  statusColumn,
  delayColumn,
];

/**
 * One line or more for each result in the given order, and a line of counts; ends with a newline. TASK where lines may
 * differ in it.
 */
export function renderResults(
  results: readonly TaskResult[],
  page: HistoryPage,
  options: TableOptions,
): string {
  if (results.length === 0) return 'no results\n';
  const table = { columns, trailer: answersTrailer, summary: formatSummary(results) };
  return renderHistory<TaskResult>(results, table, page, options);
}
