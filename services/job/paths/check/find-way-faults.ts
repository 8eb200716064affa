// Whether a way that a policy is said to have is one through this network.
import type { Fault } from '../../../../contracts/errors.ts';
import type { Way } from '../../../../contracts/path-request.ts';
import type { NetworkIds } from './find-network-faults.ts';

/**
 * Of each path the first fault: a segment needs a path, a path has nodes and links by turns, each link from the node
 * before it to the node after it, all paths of a segment have the same ends, and segments follow on each other.
 */
export function findWayFaults(way: Way, place: string, ids: NetworkIds): Fault[] {
  const faults: Fault[] = [];
  for (const [segment, paths] of way.entries()) {
    const [model] = paths;
    if (model === undefined) faults.push({ path: `${place}.${segment}`, reason: 'has no path' });
    const start = way[segment - 1]?.[0]?.at(-1) ?? model?.[0];
    for (const [index, hops] of paths.entries()) {
      const reason = findPathFault(hops, ids) ?? findEndFault(hops, start, model?.at(-1));
      if (reason !== undefined) faults.push({ path: `${place}.${segment}.${index}`, reason });
    }
  }
  return faults;
}

function findPathFault(hops: readonly string[], { nodes, links }: NetworkIds): string | undefined {
  if (hops.length % 2 === 0) return 'expected nodes and links by turns, from a node to a node';
  for (const [place, id] of hops.entries()) {
    if (place % 2 === 0) {
      if (!nodes.has(id)) return `there is no node ${id}`;
      continue;
    }
    const link = links.get(id);
    if (link === undefined) return `there is no link ${id}`;
    const [before, after] = [hops[place - 1], hops[place + 1]];
    if (link.local !== before || link.remote !== after) {
      return `${id} leads from ${link.local} to ${link.remote}, not from ${before} to ${after}`;
    }
  }
  return undefined;
}

function findEndFault(
  hops: readonly string[],
  start: string | undefined,
  end: string | undefined,
): string | undefined {
  if (hops[0] !== start) return `begins at ${hops[0]}, not at ${start}`;
  if (hops.at(-1) !== end) return `ends at ${hops.at(-1)}, as other paths of its segment do not`;
  return undefined;
}
