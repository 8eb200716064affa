// What became of the agents of nodes → a table. Pure: outcomes in, text out.
import { printable } from '../terminal/printable-text.ts';
import { type Column, nothing, renderTable, type TableOptions } from '../terminal/render-table.ts';
import type { NodeOutcome } from './read-run.ts';

const columns: Column<NodeOutcome>[] = [
  { title: 'NODE', cell: ({ node }) => printable(node) },
  {
    title: 'RESULT',
    cell: ({ result }) => printable(result),
    colour: ({ hasFailed, isOver }) => {
      if (!isOver) return 'yellow';
      return hasFailed ? 'red' : 'green';
    },
  },
  {
    title: 'CHANGED',
    cell: ({ agent }) => (agent === undefined ? nothing : agent.changed ? 'yes' : 'no'),
  },
  { title: 'STATE', cell: ({ agent }) => printable(agent?.state ?? nothing) },
  { title: 'AGENT', isElastic: true, cell: ({ agent }) => printable(agent?.agent ?? nothing) },
  { title: 'PLACE', isElastic: true, cell: ({ agent }) => printable(agent?.place?.join(',') ?? nothing) },
  {
    title: 'RELEASE',
    isElastic: true,
    isFoldable: true,
    cell: ({ agent }) => printable(agent?.release?.replace(/^probe-agent-/, '') ?? nothing),
  },
];

/** One line for each node, and below it what failed there; ends with a newline. */
export function renderOutcomes(outcomes: readonly NodeOutcome[], options: TableOptions): string {
  const failed = outcomes.filter(({ hasFailed }) => hasFailed).length;
  const lines = renderTable(outcomes, { columns }, options);
  const reasons = outcomes.flatMap(({ node, reason }) =>
    reason === undefined
      ? []
      : [`${printable(node)}:`, ...reason.split('\n').map((line) => `    ${printable(line)}`)],
  );
  const counts = `${outcomes.length} ${outcomes.length === 1 ? 'node' : 'nodes'}, ${failed} failed`;
  return `${[...lines, ...(reasons.length === 0 ? [] : ['', ...reasons]), '', counts].join('\n')}\n`;
}
