// How a probe of many targets is cut into parts that fit into one call each. Pure.
import { ProbeTaskError } from '../../../contracts/errors.ts';

/** Targets × servers, of which a request has lists; the second bound of each range is not part of it. */
export type ProbePart = { targets: Range; servers: Range };
type Range = { from: number; to: number };

/** Rows of one job. */
export const maxProbeRows = 1_000_000;

/** Throws `PLAN_TOO_LARGE` for what makes too many rows, if only one agent probes it. */
export function refuseTooManyRows({ targets, servers }: { targets: number; servers: number }): void {
  const rows = targets * Math.max(1, servers);
  if (rows <= maxProbeRows) return;
  throw new ProbeTaskError(
    'PLAN_TOO_LARGE',
    `${rows} rows are asked for of each agent, at most ${maxProbeRows} are allowed`,
    { cells: rows, limit: maxProbeRows },
  );
}

/** What one agent does of a part that names its servers, or leaves them to the agent. */
export function countQueries({ targets, servers }: ProbePart): number {
  return lengthOf(targets) * Math.max(1, lengthOf(servers));
}

/** The part from this target on, of about `size` queries: all servers of one target, at least. */
export function nextPart(
  from: number,
  { targets, servers, size }: { targets: number; servers: number; size: number },
): ProbePart {
  const count = Math.max(1, Math.floor(size / Math.max(1, servers)));
  return {
    targets: { from, to: Math.min(from + count, targets) },
    servers: { from: 0, to: servers },
  };
}

/** Its halves: by targets, a single target by servers; undefined when there is nothing to halve. */
export function halvePart({ targets, servers }: ProbePart): [ProbePart, ProbePart] | undefined {
  if (lengthOf(targets) > 1) {
    const [first, second] = halve(targets);
    return [
      { targets: first, servers },
      { targets: second, servers },
    ];
  }
  if (lengthOf(servers) <= 1) return undefined;
  const [first, second] = halve(servers);
  return [
    { targets, servers: first },
    { targets, servers: second },
  ];
}

function halve({ from, to }: Range): [Range, Range] {
  const middle = Math.ceil((from + to) / 2);
  return [
    { from, to: middle },
    { from: middle, to },
  ];
}

function lengthOf({ from, to }: Range): number {
  return to - from;
}
