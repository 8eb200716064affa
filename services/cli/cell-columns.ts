// The columns that tables of probed cells share, and the line of counts below them. Pure.
import type { SectionRecord, VerboseRow } from '../../contracts/probe.ts';
import { isFailedCell, type SummarizedRow, summarizeCells } from './summarize-cells.ts';
import { printable } from './terminal/printable-text.ts';
import { type Column, nothing, type Trailer } from './terminal/render-table.ts';

export const agentColumn: Column<VerboseRow> = {
  title: 'AGENT',
  isElastic: true,
  cell: ({ agent_id: id }) => printable(id ?? nothing),
};

export const placeColumn: Column<VerboseRow> = {
  title: 'PLACE',
  isElastic: true,
  cell: ({ device: { country, province, city, carrier } }) =>
    printable(`${country}/${province}/${city} ${carrier}`.trim()),
};

export const serverColumn: Column<VerboseRow> = {
  title: 'SERVER',
  isElastic: true,
  cell: ({ dns_server: server }) => printable(server || nothing),
};

export const nameColumn: Column<VerboseRow> = {
  title: 'NAME',
  isElastic: true,
  cell: ({ domain }) => printable(domain),
};

export const typeColumn: Column<VerboseRow> = {
  title: 'TYPE',
  cell: ({ rtype }) => printable(rtype ?? nothing),
};

export const statusColumn: Column<VerboseRow> = {
  title: 'STATUS',
  cell: ({ dns_response_status: status }) => printable(status),
  colour: (row) => {
    if (isFailedCell(row)) return 'red';
    return row.dns_response_status === 'NOERROR' ? 'green' : 'yellow';
  },
};

export const delayColumn: Column<VerboseRow> = {
  title: 'DELAY ms',
  align: 'right',
  cell: ({ delay }) => formatDelay(delay),
};

/** The answer records in their order; those of another type than the asked one say which. */
export const answersTrailer: Trailer<VerboseRow> = {
  title: 'ANSWERS',
  lines({ answer_section: answers, rtype }) {
    const format = ({ rdtype, result }: SectionRecord) => (rdtype === rtype ? result : `${rdtype} ${result}`);
    return answers.map((record) => printable(format(record)));
  },
};

/** How many cells there are, how many of them have a DNS reply, how many have each status, and their median delay. */
export function formatSummary(rows: readonly SummarizedRow[]): string {
  const { cells, answered, statuses, medianDelayMs } = summarizeCells(rows);
  const counts = statuses.map(([status, count]) => `${printable(status)} ${count}`).join(', ');
  const delay = medianDelayMs === null ? nothing : `${formatDelay(medianDelayMs)} ms`;
  return `${cells} ${cells === 1 ? 'cell' : 'cells'}, ${answered} answered; ${counts || nothing}; p50 delay ${delay}`;
}

function formatDelay(delay: number | null): string {
  return delay === null ? nothing : delay.toFixed(2);
}
