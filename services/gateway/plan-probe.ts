// Request + agents → the cells to probe, in order. Pure; touches no socket.
import { ProbeTaskError } from '../../contracts/errors.ts';
import { chooseServers, type ResolverLookup } from '../../contracts/select-agents.ts';
import type { LiveAgent } from './agent-directory.ts';

export type PlanTarget = { domain: string; rtype: string };

/**
 * All cells of one agent: every server × every target, numbered from `firstCell` on. No servers: the agent has no
 * resolver, and there is one cell for each target all the same.
 */
export type PlannedOrder = { agent: LiveAgent; servers: string[]; targets: PlanTarget[]; firstCell: number };

/** Cells in the order agent, server, target. */
export type Plan = { orders: PlannedOrder[]; cellCount: number };

export type PlanRequest = { servers: string[]; targets: PlanTarget[] };

/**
 * Plans every agent × server × target. An agent asks the servers of the request, else those `resolversOf` its place,
 * else its own. Throws `PLAN_TOO_LARGE` with both numbers beyond `maxCells`.
 */
export function planProbe(
  request: PlanRequest,
  agents: LiveAgent[],
  resolversOf: ResolverLookup,
  maxCells: number,
): Plan {
  const { targets } = request;
  const orders: PlannedOrder[] = [];
  let cellCount = 0;
  for (const agent of agents) {
    const servers = chooseServers(request.servers, agent, resolversOf);
    orders.push({ agent, servers, targets, firstCell: cellCount });
    cellCount += cellsOf({ servers, targets });
  }
  if (cellCount > maxCells) {
    throw new ProbeTaskError(
      'PLAN_TOO_LARGE',
      `${cellCount} cells are asked for, at most ${maxCells} are allowed`,
      {
        cells: cellCount,
        limit: maxCells,
      },
    );
  }
  return { orders, cellCount };
}

/** How many cells an order has. */
export function cellsOf({ servers, targets }: { servers: string[]; targets: PlanTarget[] }): number {
  return Math.max(1, servers.length) * targets.length;
}
