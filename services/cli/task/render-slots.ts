// Slots of recurring tasks → the table that people read. Pure: slots in, text out.
import type { TaskSlot } from '../../../contracts/task-slot.ts';
import { printable } from '../terminal/printable-text.ts';
import { type Colour, type Column, nothing, type TableOptions } from '../terminal/render-table.ts';
import { formatLag } from './moment-text.ts';
import { type HistoryPage, renderHistory } from './render-history.ts';

const columns: Column<TaskSlot>[] = [
  {
    title: 'PLANNED',
    align: 'right',
    cell: ({ scheduled_at: scheduled, planned_at: planned }) => formatLag(scheduled, planned),
  },
  countColumn('AGENTS', ({ agents }) => agents),
  countColumn('CELLS', ({ cells }) => cells),
  countColumn('DONE', ({ done }) => done),
  { ...countColumn('LATE', ({ late }) => late, 'yellow'), isFoldable: true },
  { ...countColumn('LOST', ({ lost }) => lost, 'red'), isFoldable: true },
  { ...countColumn('EXPIRED', ({ expired }) => expired, 'red'), isFoldable: true },
  { ...countColumn('PENDING', ({ pending }) => pending), isFoldable: true },
  { ...countColumn('MISSED', ({ missed }) => missed, 'red'), isFoldable: true },
  { title: 'SKIPPED', isFoldable: true, cell: formatSkipped },
];

/** `colour` where it counts anything. */
function countColumn(title: string, count: (slot: TaskSlot) => number, colour?: Colour): Column<TaskSlot> {
  return {
    title,
    align: 'right',
    cell: (slot) => String(count(slot)),
    colour: (slot) => (count(slot) > 0 ? colour : undefined),
  };
}

/** The reasons, and how many agents or domain groups each is about. */
function formatSkipped({ skipped }: TaskSlot): string {
  const parts = skipped.map(({ reason, count }) =>
    count === 0 ? printable(reason) : `${printable(reason)} ${count}`,
  );
  return parts.join(', ') || nothing;
}

/** One line for each slot in the given order, and a line of sums; ends with a newline. TASK where it may differ. */
export function renderSlots(slots: readonly TaskSlot[], page: HistoryPage, options: TableOptions): string {
  if (slots.length === 0) return 'no slots\n';
  return renderHistory(slots, { columns, summary: formatSums(slots) }, page, options);
}

function formatSums(slots: readonly TaskSlot[]): string {
  const sum = (read: (slot: TaskSlot) => number) => slots.reduce((total, slot) => total + read(slot), 0);
  const cells = sum((slot) => slot.cells);
  const states: [count: number, word: string][] = [
    [sum(({ done }) => done), 'done'],
    [sum(({ lost }) => lost), 'lost'],
    [sum(({ expired }) => expired), 'expired'],
    [sum(({ pending }) => pending), 'pending'],
  ];
  const list = states.map(([count, word]) => `${count} ${word}`).join(', ');
  return `${formatCount(slots.length, 'slot')}, ${formatCount(cells, 'cell')}: ${list}`;
}

function formatCount(count: number, word: string): string {
  return `${count} ${count === 1 ? word : `${word}s`}`;
}
