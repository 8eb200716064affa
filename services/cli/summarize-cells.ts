// Verbose rows → the counts that the last line of the table and the exit code stand on. Pure.
import { cellFailures, type VerboseRow } from '../../contracts/probe.ts';
import { runFailures } from '../../contracts/run.ts';

export type CellSummary = {
  cells: number;
  /** Cells with a DNS reply, whatever its rcode. */
  answered: number;
  /** Statuses and how many cells have each, most frequent first. */
  statuses: [status: string, cells: number][];
  /** Median of the answered cells' delays (nearest rank), milliseconds; null without any. */
  medianDelayMs: number | null;
};

export type SummarizedRow = Pick<VerboseRow, 'dns_response_status' | 'delay'>;

const failures = new Set<string>([...cellFailures, ...runFailures]);

/** Has the cell no DNS reply? An rcode such as NXDOMAIN is a reply. */
export function isFailedCell({ dns_response_status: status }: SummarizedRow): boolean {
  return failures.has(status);
}

export function summarizeCells(rows: readonly SummarizedRow[]): CellSummary {
  const answered = rows.filter((row) => !isFailedCell(row));
  const counts = new Map<string, number>();
  for (const { dns_response_status: status } of rows) counts.set(status, (counts.get(status) ?? 0) + 1);
  return {
    cells: rows.length,
    answered: answered.length,
    statuses: [...counts].sort(([, first], [, second]) => second - first),
    medianDelayMs: median(answered.flatMap(({ delay }) => (delay === null ? [] : [delay]))),
  };
}

function median(values: number[]): number | null {
  const sorted = values.toSorted((first, second) => first - second);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? null;
}
