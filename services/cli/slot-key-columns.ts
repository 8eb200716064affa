// The columns that say which slot a line of the history is about.
import { formatMoment } from './moment-text.ts';
import { printable } from './printable-text.ts';
import type { Column } from './render-table.ts';

type OfSlot = { scheduled_at: string; task_id: string };

const scheduledColumn: Column<OfSlot> = {
  title: 'SCHEDULED',
  cell: ({ scheduled_at: moment }) => printable(formatMoment(moment)),
};

const taskColumn: Column<OfSlot> = {
  title: 'TASK',
  align: 'right',
  cell: ({ task_id: id }) => printable(id),
};

/** SCHEDULED, and TASK where lines may differ in it. */
export function slotKeyColumns(hasTask: boolean): Column<OfSlot>[] {
  return hasTask ? [scheduledColumn, taskColumn] : [scheduledColumn];
}
