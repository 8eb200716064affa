// Probes cells through the one DNS engine; one-shot orders and recurring runs both come here.
import type { Outcome } from '../../contracts/agent.ts';
import { statusLabel } from '../../contracts/dns-rcode.ts';
import { parseRtype } from '../../contracts/dns-rtype.ts';
import { parseDnsServer } from '../../contracts/dns-server.ts';
import { encodeDomainName } from '../../contracts/domain-name.ts';
import type { Metrics } from '../../infra/metrics.ts';
import type { DnsEngine, DnsQuery, Resolution } from './dns/engine.ts';

/** Every server × every target; cell `s * targets.length + t` asks server `s` for target `t`. */
export type CellGrid = { servers: string[]; targets: { domain: string; rtype: string }[] };

export type CellRun = {
  /** `performance.now()` by which every outcome is there; with `askingMs`, by which every cell has had its turn. */
  deadlineAt: number;
  /** Time for one cell from its turn on, however late that comes: the last outcomes are there so long after the deadline. */
  askingMs?: number;
  /** Runs of different lanes take turns. */
  lane: string;
  /** Called once for every cell, as outcomes come. */
  onOutcome: (outcome: Outcome) => void;
};

export type CellRunner = {
  /** Resolves when every cell has its outcome. The grid's texts were validated where it was parsed. */
  run(grid: CellGrid, run: CellRun): Promise<void>;
  /** Cells accepted and not yet started, without those of lanes that are bound to a share and keep nobody waiting. */
  waiting(): number;
};

/** Counts the cells by what came of them. */
export function createCellRunner(options: { engine: DnsEngine; metrics: Metrics }): CellRunner {
  const { engine, metrics } = options;
  const counted = metrics.counter('probe_agent_cells_total', 'Probed cells by what came of them', [
    'outcome',
  ]);

  /** One promise for all: one for each cell would cost as much as the reading of its reply. */
  function probeAll(queries: DnsQuery[], { deadlineAt, askingMs, lane, onOutcome }: CellRun): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let open = queries.length;
    for (const [cell, query] of queries.entries()) {
      engine.resolve(query, { deadlineAt, askingMs, lane }, (resolution) => {
        // A fault is this run's; left to the engine it would be nobody's, and uncaught.
        try {
          const outcome = toOutcome(cell, resolution);
          counted.inc({ outcome: statusLabel(outcome.status) });
          onOutcome(outcome);
        } catch (error) {
          reject(error);
        }
        open -= 1;
        if (open === 0) resolve();
      });
    }
    if (open === 0) resolve();
    return promise;
  }

  return {
    async run(grid, run) {
      const questions = grid.targets.map(requireQuestion);
      const queries = grid.servers
        .map(requireServer)
        .flatMap((server) => questions.map((question) => ({ server, ...question })));
      await probeAll(queries, run);
    },
    waiting() {
      const { waiting, waitingBound } = engine.stats();
      return waiting - waitingBound;
    },
  };
}

function requireServer(text: string) {
  const parsed = parseDnsServer(text);
  if (!parsed.ok) throw new Error(`server ${text} ${parsed.reason}`);
  return parsed.server;
}

function requireQuestion({ domain, rtype }: { domain: string; rtype: string }) {
  const name = encodeDomainName(domain);
  const number = parseRtype(rtype);
  if (!name.ok) throw new Error(`name ${domain} ${name.reason}`);
  if (number === undefined) throw new Error(`unknown record type ${rtype}`);
  return { name: name.wire, rtype: number };
}

function toOutcome(cell: number, resolution: Resolution): Outcome {
  const { status, delayMs, lagMs, transport, truncated, tries, flags, answer, authority, additional } =
    resolution;
  return {
    cell,
    status,
    delay: delayMs === null ? null : roundToMicroseconds(delayMs),
    ...(lagMs > 0 ? { lag: roundToMicroseconds(lagMs) } : {}),
    transport: tries === 0 ? null : transport,
    truncated,
    tries,
    flags,
    answer,
    authority,
    additional,
  };
}

/** Nothing below is measured. */
function roundToMicroseconds(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
