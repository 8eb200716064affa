// The one-shot probe from request to reply: select agents → plan cells → fan out → gather → shape the reply.
import { statusLabel } from '../../contracts/dns-rcode.ts';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { PlacePattern } from '../../contracts/place.ts';
import type { DomainTarget, OneShootRequest, OneShootVerboseRequest } from '../../contracts/probe.ts';
import { selectAgents } from '../../contracts/select-agents.ts';
import { headers } from '../../contracts/subjects.ts';
import type { Reply, RequestContext } from '../../infra/bus/serve.ts';
import type { Metrics } from '../../infra/metrics.ts';
import type { AgentDirectory, LiveAgent } from './agent-directory.ts';
import type { DefinitionCache } from './definition-cache.ts';
import type { FanOut } from './fan-out.ts';
import type { Gathered } from './gather.ts';
import { planBudget } from './plan-budget.ts';
import { type Plan, planProbe } from './plan-probe.ts';
import { cellStatuses, shapeOneShootReply, shapeVerboseReply } from './shape-reply.ts';

export type ProbeRunner = {
  oneShoot(request: OneShootRequest, context: RequestContext): Promise<Reply>;
  oneShootVerbose(request: OneShootVerboseRequest, context: RequestContext): Promise<Reply>;
};

type ProbeRequest = Omit<OneShootVerboseRequest, 'target'> & { target: DomainTarget[] };

/**
 * Handlers of the two one-shot subjects. Besides what planning and shaping throw: `NO_AGENTS` when nobody matches,
 * `OVERLOADED` when too many cells are being probed.
 */
export function createProbeRunner(options: {
  directory: Pick<AgentDirectory, 'live'>;
  definitions: Pick<DefinitionCache, 'placesOfGroup' | 'resolversOf' | 'refreshForUnknown'>;
  fanOut: Pick<FanOut, 'probe'>;
  metrics: Metrics;
  /** Cells of one request. */
  maxCells: number;
  /** Cells of all requests being probed at once. */
  maxCellsInFlight: number;
}): ProbeRunner {
  const { directory, definitions, fanOut, metrics, maxCells, maxCellsInFlight } = options;
  const cellOutcomes = metrics.counter('probe_cells_total', 'Planned cells by what came of them', [
    'outcome',
  ]);
  let cellsInFlight = 0;
  metrics.gauge('probe_cells_in_flight', 'Planned cells without an outcome', () => cellsInFlight);

  async function probe(
    request: ProbeRequest,
    context: RequestContext,
  ): Promise<{ plan: Plan; gathered: Gathered }> {
    const agents = await select(request);
    const plan = planProbe(
      {
        servers: request.probe_data.dns_servers,
        targets: request.target.map(({ data, rtype }) => ({ domain: data, rtype })),
      },
      agents,
      definitions.resolversOf,
      maxCells,
    );
    const gathered = await fanOutWithin(plan, request.resp_timeout * 1000, context);
    countOutcomes(plan, gathered);
    context.logger.debug({ cells: plan.cellCount, answered: gathered.answered }, 'probed');
    return { plan, gathered };
  }

  /** By label first: a thousand cells have a few labels, and a counter takes far longer than a map. */
  function countOutcomes(plan: Plan, gathered: Gathered): void {
    const cellsByLabel = new Map<string, number>();
    for (const status of cellStatuses(plan, gathered)) {
      const label = statusLabel(status);
      cellsByLabel.set(label, (cellsByLabel.get(label) ?? 0) + 1);
    }
    for (const [outcome, cells] of cellsByLabel) cellOutcomes.inc({ outcome }, cells);
  }

  async function select(request: ProbeRequest): Promise<LiveAgent[]> {
    const { group_id: groupId } = request;
    const live = directory.live();
    const places = groupId === null ? [] : await placesOf(groupId, live);
    const agents = selectAgents(live, request, places);
    if (agents.length > 0) return agents;
    throw new ProbeTaskError(
      'NO_AGENTS',
      `none of ${live.length} live agents matches the group and regions`,
      {
        live: live.length,
      },
    );
  }

  /** A group that is not known here may be new: its places are looked for once more before it is given up. */
  async function placesOf(groupId: number, live: LiveAgent[]): Promise<PlacePattern[]> {
    const isKnown =
      definitions.placesOfGroup(groupId).length > 0 || live.some(({ groups }) => groups.includes(groupId));
    if (!isKnown) await definitions.refreshForUnknown(groupId);
    return definitions.placesOfGroup(groupId);
  }

  async function fanOutWithin(plan: Plan, respTimeoutMs: number, context: RequestContext): Promise<Gathered> {
    if (cellsInFlight + plan.cellCount > maxCellsInFlight) {
      throw new ProbeTaskError('OVERLOADED', `${cellsInFlight} cells are being probed already`);
    }
    const { receivedAt, requestId } = context;
    cellsInFlight += plan.cellCount;
    try {
      const { gatherMs, agentMs } = planBudget(respTimeoutMs, performance.now() - receivedAt, cellsInFlight);
      return await fanOut.probe(plan, {
        gatherUntil: receivedAt + gatherMs,
        agentBudgetMs: agentMs,
        requestId,
      });
    } finally {
      cellsInFlight -= plan.cellCount;
    }
  }

  return {
    async oneShoot({ target, ...request }, context) {
      const { plan, gathered } = await probe({ ...request, target: [target] }, context);
      return { body: shapeOneShootReply(plan, gathered), headers: counts(plan, gathered) };
    },
    async oneShootVerbose(request, context) {
      const { plan, gathered } = await probe(request, context);
      return { body: shapeVerboseReply(plan, gathered), headers: counts(plan, gathered) };
    },
  };
}

function counts(plan: Plan, gathered: Gathered): Record<string, string> {
  return { [headers.expected]: String(plan.cellCount), [headers.answered]: String(gathered.answered) };
}
