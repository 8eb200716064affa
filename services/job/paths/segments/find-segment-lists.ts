// One policy, one algorithm → its segment lists, or why there are none.
import type { PathFault, PolicyPath, SegmentListReply } from '../../../../contracts/path-reply.ts';
import type { PathAlgorithm, SrPolicy } from '../../../../contracts/path-request.ts';
import type { Topology } from '../network/topology.ts';
import { SearchTooHardError, type Waypoint } from '../search/best-paths.ts';
import { nameHops } from './expand-segments.ts';
import { explainNoPath } from './explain-no-path.ts';
import { findDisjoint } from './find-disjoint.ts';
import type { Network } from './network.ts';
import { attributesOf } from './path-attributes.ts';
import { type FoundList, type ListSearch, searchLists } from './search-lists.ts';
import { nameSegment } from './segments.ts';

export { createNetwork, type Network } from './network.ts';

export type PolicySearch = {
  policy: SrPolicy;
  algorithm: PathAlgorithm;
  /** Of each link, in the unit of `bandwidths`; 0: any will do. */
  requiredBandwidth: number;
  /** By link: what may be asked for and sorted by, and what `attr` shows; -1: not known. */
  bandwidths: Float64Array;
  /** By link: 1 where it is out besides, for the traffic that it carries. */
  isBlocked?: Uint8Array | undefined;
  /** Whether anybody reads why there is no path: to find that out takes several more searches. True unless given. */
  isExplained?: boolean;
};

export type PolicyOutcome = { ok: true; data: Omit<PolicyPath, 'time'> } | { ok: false; fault: PathFault };

/**
 * The best segment list is `data`, those for further paths are `other`, in their order. With `disjoint` the best one
 * that has a second path is taken, if any has. Faults: `NO_PATH` with what would help, `TOO_HARD`.
 */
export function findSegmentLists(network: Network, request: PolicySearch): PolicyOutcome {
  const { policy } = request;
  const search = planSearch(network, request);
  const describe = (list: FoundList) => describeList(search, list, policy);
  try {
    const { lists, beyondLimit } = searchLists(network, search);
    const [best] = lists;
    if (best === undefined) {
      return {
        ok: false,
        fault: { code: 'NO_PATH', message: explain(network, request, search, beyondLimit) },
      };
    }
    if (!policy.disjoint) {
      return { ok: true, data: { ...describe(best), other: lists.slice(1).map(describe) } };
    }
    const disjoint = findDisjoint(network, search, lists);
    const first = disjoint?.first ?? best;
    const other = lists.filter((list) => list !== first).map(describe);
    return { ok: true, data: { ...describe(first), other, ...describeSecond(disjoint?.second, describe) } };
  } catch (error) {
    if (!(error instanceof SearchTooHardError)) throw error;
    return { ok: false, fault: { code: 'TOO_HARD', message: error.message } };
  }
}

function explain(
  network: Network,
  request: PolicySearch,
  search: ListSearch,
  beyondLimit: number | undefined,
): string {
  const { policy, algorithm, isExplained = true } = request;
  if (beyondLimit !== undefined) {
    return `every path from ${policy.headend} to ${policy.tailend} is beyond the limit of ${algorithm.limit}: the best one has ${beyondLimit}`;
  }
  return isExplained ? explainNoPath(network, { demand: request, search }) : 'there is no path';
}

function planSearch(network: Network, request: PolicySearch): ListSearch {
  const { topology, usableLinks } = network;
  const { policy, algorithm, bandwidths } = request;
  const isUsable = new Uint8Array(topology.links.length);
  usableLinks.mark(request, isUsable);
  return {
    topology,
    head: nodeOf(topology, policy.headend),
    tail: nodeOf(topology, policy.tailend),
    via: policy.include.map((id) => waypointOf(topology, id)),
    isUsable,
    costs: network.costsOf(policy.metric),
    metric: policy.metric,
    sorter: algorithm.sorter,
    bandwidths,
    onlyShortest: !algorithm.loose,
    top: algorithm.top,
    limit: algorithm.limit,
  };
}

function nodeOf({ nodeIndex }: Topology, id: string): number {
  const node = nodeIndex.get(id);
  if (node === undefined) throw new RangeError(`${id} is no node of the network`);
  return node;
}

function waypointOf(topology: Topology, id: string): Waypoint {
  const link = topology.linkIndex.get(id);
  return link === undefined ? { kind: 'node', node: nodeOf(topology, id) } : { kind: 'link', link };
}

function describeList(
  { topology, bandwidths }: ListSearch,
  { segments, segmentPaths, paths }: FoundList,
  { algorithm }: SrPolicy,
): SegmentListReply {
  return {
    sids: segments.map((segment) => nameSegment(topology, segment, algorithm)),
    paths: paths.map((path) => nameHops(topology, path)),
    segs: segmentPaths.map((ofSegment) => ofSegment.map((path) => nameHops(topology, path))),
    attr: attributesOf(topology, segmentPaths, bandwidths),
  };
}

/** Empty where there is none, so that whoever asked for it can tell. */
function describeSecond(
  lists: readonly FoundList[] | undefined,
  describe: (list: FoundList) => SegmentListReply,
): Pick<PolicyPath, 'd_sids' | 'd_paths' | 'd_segs' | 'd_attr' | 'd_other'> {
  const [second, ...other] = (lists ?? []).map(describe);
  if (second === undefined) return { d_sids: [], d_paths: [], d_segs: [], d_attr: {}, d_other: [] };
  const { sids, paths, segs, attr } = second;
  return { d_sids: sids, d_paths: paths, d_segs: segs, d_attr: attr, d_other: other };
}
