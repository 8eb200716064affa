// Tasks → what people read of them: a table of many, all fields of one. Pure: tasks in, text out.
import type { Task } from '../../../contracts/task.ts';
import { displayWidth, padColumns } from '../terminal/display-width.ts';
import { printable } from '../terminal/printable-text.ts';
import { type Column, nothing, renderTable, type TableOptions, wrapLines } from '../terminal/render-table.ts';
import { listSome } from './list-some.ts';
import { formatUnixSeconds } from './moment-text.ts';

type TaskTarget = Task['target'][number];

/** Of a list in a table. */
const mostShown = 2;

const columns: Column<Task>[] = [
  { title: 'TASK', align: 'right', cell: ({ task_id: id }) => printable(id) },
  {
    title: 'STATUS',
    cell: ({ status }) => formatStatus(status),
    colour: ({ status }) => (status === 1 ? 'green' : 'yellow'),
  },
  { title: 'CYCLE', align: 'right', cell: ({ cycle }) => formatCycle(cycle) },
  { title: 'SERVICE TYPE', isElastic: true, cell: ({ service_type: type }) => printable(type) },
  listColumn('TARGETS', ({ target }) => target.map(formatTarget)),
  { ...listColumn('SERVERS', ({ probe_data: { dns_servers: servers } }) => servers), isFoldable: true },
  {
    title: 'GROUP',
    align: 'right',
    isFoldable: true,
    cell: ({ group_id: id }) => (id === null ? nothing : String(id)),
  },
  { title: 'WINDOW', isFoldable: true, cell: ({ task_time: time }) => formatWindow(time) },
];

function listColumn(title: string, read: (task: Task) => string[]): Column<Task> {
  const list = (task: Task) => read(task).map(printable);
  return {
    title,
    isElastic: true,
    cell: (task) => listSome(list(task), { most: mostShown }),
    shorten: (task, size) => listSome(list(task), { most: mostShown, width: size }),
  };
}

/** One line for each task in the given order, and a line of counts; ends with a newline. */
export function renderTasks(tasks: readonly Task[], hasMore: boolean, options: TableOptions): string {
  if (tasks.length === 0) return 'no tasks\n';
  const lines = renderTable(tasks, { columns }, options);
  const paused = tasks.filter(({ status }) => status === 0).length;
  const counts = `${tasks.length} ${tasks.length === 1 ? 'task' : 'tasks'}, ${paused} paused`;
  const more = hasMore ? ['there are more: a larger --limit shows them'] : [];
  return `${[...lines, '', counts, ...more].join('\n')}\n`;
}

/** All fields of a task, one or more lines each; ends with a newline. */
export function renderTask(task: Task, { width = Number.POSITIVE_INFINITY }: TableOptions): string {
  const fields: [title: string, lines: string[]][] = [
    ['TASK', [task.task_id]],
    ['STATUS', [formatStatus(task.status)]],
    ['TYPE', [task.type]],
    ['SERVICE TYPE', [task.service_type]],
    ['CYCLE', [formatCycle(task.cycle)]],
    ['TARGETS', task.target.map(formatTarget)],
    ['SERVERS', orElse(task.probe_data.dns_servers, "those of each agent's region")],
    ['GROUP', [task.group_id === null ? 'all agents' : String(task.group_id)]],
    ['WINDOW', [task.task_time === null ? 'always' : formatWindow(task.task_time)]],
    ['UID', [String(task.uid ?? nothing)]],
    ['GID', [String(task.gid ?? nothing)]],
    ['PINNED', [task.pinned ? 'yes' : 'no']],
  ];
  const titleWidth = Math.max(...fields.map(([title]) => displayWidth(title))) + 2;
  const lines = fields.flatMap(([title, values]) =>
    wrapLines(values.map(printable), Math.max(1, width - titleWidth)).map(
      (line, index) => padColumns(index === 0 ? title : '', titleWidth) + line,
    ),
  );
  return `${lines.join('\n')}\n`;
}

function orElse(values: string[], missing: string): string[] {
  return values.length === 0 ? [missing] : values;
}

function formatStatus(status: Task['status']): string {
  return status === 1 ? 'enabled' : 'paused';
}

function formatCycle(cycle: number): string {
  return cycle === 0 ? 'once' : `${cycle} s`;
}

function formatTarget(target: TaskTarget): string {
  const { rtype } = target;
  return target.type === 'domain'
    ? `${target.data} ${rtype}`
    : `domain group ${target.domain_group_id} ${rtype}`;
}

function formatWindow(time: Task['task_time']): string {
  if (time === null) return nothing;
  const [start, end] = time.map((moment) =>
    typeof moment === 'number' ? formatUnixSeconds(moment) : printable(moment),
  );
  return `${start} to ${end}`;
}
