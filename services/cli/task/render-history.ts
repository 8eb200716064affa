// What the tables of results and of slots share: which slot a line is about, and that there are older ones.
import { printable } from '../terminal/printable-text.ts';
import { type Column, renderTable, type TableOptions, type Trailer } from '../terminal/render-table.ts';
import { formatMoment } from './moment-text.ts';

type OfSlot = { scheduled_at: string; task_id: string };

/** `hasTask`: lines may differ in their task. `hasOlder`: there are more behind the last line. */
export type HistoryPage = { hasTask: boolean; hasOlder: boolean };

const scheduledColumn: Column<OfSlot> = {
  title: 'SCHEDULED',
  cell: ({ scheduled_at: moment }) => printable(formatMoment(moment)),
};

const taskColumn: Column<OfSlot> = {
  title: 'TASK',
  align: 'right',
  cell: ({ task_id: id }) => printable(id),
};

/** A table behind the columns SCHEDULED and TASK, and below it `summary`; ends with a newline. */
export function renderHistory<Item extends OfSlot>(
  items: readonly Item[],
  table: { columns: Column<Item>[]; trailer?: Trailer<Item>; summary: string },
  { hasTask, hasOlder }: HistoryPage,
  options: TableOptions,
): string {
  const { columns, summary, ...rest } = table;
  const keyColumns = hasTask ? [scheduledColumn, taskColumn] : [scheduledColumn];
  const lines = renderTable(items, { columns: [...keyColumns, ...columns], ...rest }, options);
  const older = hasOlder ? ['there are older ones: a larger --limit shows them'] : [];
  return `${[...lines, '', summary, ...older].join('\n')}\n`;
}
