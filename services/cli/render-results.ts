// Results of recurring tasks → the table that people read. Pure: results in, text out.
import type { TaskResult } from '../../contracts/task-result.ts';
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
} from './cell-columns.ts';
import { type Column, renderTable, type TableOptions } from './render-table.ts';
import { slotKeyColumns } from './slot-key-columns.ts';

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
  { hasTask, hasOlder }: { hasTask: boolean; hasOlder: boolean },
  options: TableOptions,
): string {
  if (results.length === 0) return 'no results\n';
  const shown = [...slotKeyColumns(hasTask), ...columns];
  const lines = renderTable<TaskResult>(results, { columns: shown, trailer: answersTrailer }, options);
  const older = hasOlder ? ['there are older ones: a larger --limit shows them'] : [];
  return `${[...lines, '', formatSummary(results), ...older].join('\n')}\n`;
}
