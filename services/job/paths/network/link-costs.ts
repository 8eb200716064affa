// What it costs to take a link, by each metric: whole numbers above 0, so that equal sums are equal exactly.
import type { PathLink, SrPolicy } from '../../../../contracts/path-request.ts';
import type { Topology } from './topology.ts';

/** Of a metric: delays count in thousandths of their unit. */
export const metricScales = { igp: 1, te: 1, latency: 1000 } as const satisfies Record<
  SrPolicy['metric'],
  number
>;

/**
 * The cost of each link, by index. A metric of 0 counts as infinitely small instead, so that no equal-cost path has a
 * loop: with a metric of 0 anywhere every other one is multiplied by more than a path can have links, and 0 becomes 1.
 */
export function linkCosts(
  topology: Pick<Topology, 'nodes' | 'links'>,
  metric: SrPolicy['metric'],
): Float64Array {
  return costsOf(topology.nodes.length, topology.links, metric);
}

/**
 * Why paths of this network cannot be told apart exactly by this metric: when the sum over a path could pass 2^53.
 * A loopless path leaves every node once at most, so the greatest costs of all nodes bound it.
 */
export function findCostFault(
  nodeCount: number,
  links: readonly PathLink[],
  metric: SrPolicy['metric'],
): string | undefined {
  const costs = costsOf(nodeCount, links, metric);
  const greatest = new Map<string, number>();
  for (const [index, { local, remote }] of links.entries()) {
    const cost = costs[index] as number;
    if (local !== remote && cost > (greatest.get(local) ?? 0)) greatest.set(local, cost);
  }
  let sum = 0;
  for (const cost of greatest.values()) sum += cost;
  if (sum <= Number.MAX_SAFE_INTEGER) return undefined;
  return `the ${metric === 'latency' ? 'delays' : `${metric} metrics`} of the links are too large to be summed up exactly`;
}

function costsOf(nodeCount: number, links: readonly PathLink[], metric: SrPolicy['metric']): Float64Array {
  const costs = Float64Array.from(links, (link) => metricOf(link, metric));
  if (!costs.includes(0)) return costs;
  return costs.map((cost) => (cost === 0 ? 1 : cost * (nodeCount + 1)));
}

/** A whole number, so that sums are exact: of the unit that `metricScales` divides that of the request into. */
export function metricOf(link: PathLink, metric: SrPolicy['metric']): number {
  return metric === 'latency' ? Math.round(link.delay * metricScales.latency) : link[metric];
}
