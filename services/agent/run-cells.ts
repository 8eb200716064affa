// Probes cells through the one DNS engine; one-shot orders and recurring runs both come here.
import type { Outcome } from '../../contracts/agent.ts';
import { parseRtype } from '../../contracts/dns-rtype.ts';
import { parseDnsServer } from '../../contracts/dns-server.ts';
import { encodeDomainName } from '../../contracts/domain-name.ts';
import type { DnsEngine, Resolution } from './dns/engine.ts';

/** Every server × every target; cell `s * targets.length + t` asks server `s` for target `t`. */
export type CellGrid = { servers: string[]; targets: { domain: string; rtype: string }[] };

export type CellRun = {
  /** `performance.now()` by which every outcome is there. */
  deadlineAt: number;
  /** Runs of different lanes take turns. */
  lane: string;
  /** Called once for every cell, as outcomes come. */
  onOutcome: (outcome: Outcome) => void;
};

/** Resolves when every cell has its outcome. The grid's texts were validated where it was parsed. */
export async function runCells(engine: DnsEngine, grid: CellGrid, run: CellRun): Promise<void> {
  const servers = grid.servers.map(requireServer);
  const questions = grid.targets.map(requireQuestion);
  const pending: Promise<void>[] = [];
  for (const server of servers) {
    for (const { name, rtype } of questions) {
      const cell = pending.length;
      pending.push(
        engine
          .resolve({ server, name, rtype }, { deadlineAt: run.deadlineAt, lane: run.lane })
          .then((resolution) => run.onOutcome(toOutcome(cell, resolution))),
      );
    }
  }
  await Promise.all(pending);
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
  const { status, delayMs, transport, truncated, tries, flags, answer, authority, additional } = resolution;
  return {
    cell,
    status,
    // Nothing below a microsecond is measured.
    delay: delayMs === null ? null : Math.round(delayMs * 1000) / 1000,
    transport: tries === 0 ? null : transport,
    truncated,
    tries,
    flags,
    answer,
    authority,
    additional,
  };
}
