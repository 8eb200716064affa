// What no schema sees of a network: ids that stand twice, links to nowhere, metrics too large to be summed up.
import type { Fault } from '../../../../contracts/errors.ts';
import type { PathLink, PathNode, SrPolicy } from '../../../../contracts/path-request.ts';
import { findCostFault } from '../network/link-costs.ts';

export type NetworkIds = { nodes: ReadonlySet<string>; links: ReadonlyMap<string, PathLink> };
export type CheckedNetwork = { nodes: readonly PathNode[]; links: readonly PathLink[] };

export function collectIds({ nodes, links }: CheckedNetwork): NetworkIds {
  return { nodes: new Set(nodes.map(({ id }) => id)), links: new Map(links.map((link) => [link.id, link])) };
}

/** `metrics`: those that policies of the request go by. */
export function findNetworkFaults(
  { nodes, links }: CheckedNetwork,
  ids: NetworkIds,
  metrics: Iterable<SrPolicy['metric']>,
): Fault[] {
  return [
    ...findDoubledIds(nodes, links),
    ...links.flatMap((link, index) => findLinkFaults(link, `links.${index}`, ids)),
    ...findMetricFaults(nodes.length, links, metrics),
  ];
}

/** Nodes and links share one namespace: a path names both. */
function findDoubledIds(nodes: readonly PathNode[], links: readonly PathLink[]): Fault[] {
  const faults: Fault[] = [];
  const placeOf = new Map<string, string>();
  const note = (id: string, place: string): void => {
    const before = placeOf.get(id);
    if (before === undefined) placeOf.set(id, place);
    else faults.push({ path: `${place}.id`, reason: `${id} is the id of ${before}, too` });
  };
  for (const [index, { id }] of nodes.entries()) note(id, `nodes.${index}`);
  for (const [index, { id }] of links.entries()) note(id, `links.${index}`);
  return faults;
}

function findLinkFaults(link: PathLink, place: string, { nodes }: NetworkIds): Fault[] {
  const faults: Fault[] = [];
  for (const end of ['local', 'remote'] as const) {
    if (!nodes.has(link[end]))
      faults.push({ path: `${place}.${end}`, reason: `there is no node ${link[end]}` });
  }
  const classes = new Set<string>();
  for (const [index, { class: className }] of link.qos_class.entries()) {
    if (classes.has(className)) {
      faults.push({ path: `${place}.qos_class.${index}.class`, reason: `${className} stands twice` });
    }
    classes.add(className);
  }
  return faults;
}

/** The network itself goes by `igp`, whatever policies go by. */
function findMetricFaults(
  nodeCount: number,
  links: readonly PathLink[],
  metrics: Iterable<SrPolicy['metric']>,
): Fault[] {
  return [...new Set(['igp' as const, ...metrics])].flatMap((metric) => {
    const reason = findCostFault(nodeCount, links, metric);
    return reason === undefined ? [] : [{ path: 'links', reason }];
  });
}
