// The type that moves policies away from congested links.
import type { AlgorithmReply, PolicyPath } from '../../../../contracts/path-reply.ts';
import type { PathAlgorithm } from '../../../../contracts/path-request.ts';
import { createNetwork, type Network } from '../segments/find-segment-lists.ts';
import { createLinkLoads } from './link-loads.ts';
import type { Moving } from './move-policies.ts';
import type { ComputeDeps } from './place-policy.ts';
import { type CongestionRequest, createPresentWays } from './present-ways.ts';
import { relieveLink } from './relieve-link.ts';

/** By each algorithm, all of which start from the network as the request has it. */
export function relieveLinks(request: CongestionRequest, deps: ComputeDeps): AlgorithmReply[] {
  const network = createNetwork(request.nodes, request.links);
  return request.global.algorithm.map((algorithm) => relieve(network, request, algorithm, deps));
}

/** The policies that were moved, in this order; `unrelieved`: why, by link. */
type Result = { moved: { id: string; data: PolicyPath }[]; unrelieved: Map<number, string> };

function relieve(
  network: Network,
  request: CongestionRequest,
  algorithm: PathAlgorithm,
  deps: ComputeDeps,
): AlgorithmReply {
  const ways = createPresentWays(network.topology, request);
  const loads = createLinkLoads(request, ways);
  const moving = { network, algorithm, policies: request.sr_policy, ways, loads, deps };
  const listed = [...new Set(request.congested_link)].flatMap(
    (id) => network.topology.linkIndex.get(id) ?? [],
  );
  const { moved: data, unrelieved } = relieveAll(moving, request.global, listed);

  // One that was given up may have been relieved by what was moved for another one.
  const congested = listed.filter((link) => loads.isCongested(link));
  if (congested.length === 0) return { algo_type: algorithm.algo, status: true, info: {}, data };
  const idOf = (link: number) => request.links[link]?.id ?? '';
  const [[first, reason] = [0, '']] = [...unrelieved].filter(([link]) => loads.isCongested(link));
  const more = congested.length > 1 ? ` (and ${congested.length - 1} more)` : '';
  return {
    algo_type: algorithm.algo,
    status: false,
    info: {
      code: 'STILL_CONGESTED',
      message: `${idOf(first)} stays congested: ${reason}${more}`,
      links: congested.map(idOf),
    },
    data: request.global.reopt_mode === 'strict' ? {} : data,
  };
}

/**
 * Takes the most loaded link of those listed, again and again. A link that was relieved stays so, as nothing is put on
 * a link that would be congested by it: each one has its turn once. Nor is a policy moved twice, as it is led around all
 * of those that are congested still.
 */
function relieveAll(moving: Moving, rules: CongestionRequest['global'], listed: readonly number[]): Result {
  const { loads, policies } = moving;
  const moved: Result['moved'] = [];
  const unrelieved = new Map<number, string>();
  for (;;) {
    const congested = listed.filter((link) => loads.isCongested(link));
    const link = loads.mostLoaded(congested.filter((one) => !unrelieved.has(one)));
    if (link === undefined) return { moved, unrelieved };
    const relief = relieveLink(moving, rules, link, congested);
    if (!relief.ok) {
      unrelieved.set(link, relief.reason);
      if (rules.reopt_mode === 'strict') return { moved, unrelieved };
      continue;
    }
    // Else it would have its turn for ever.
    if (loads.isCongested(link))
      throw new Error('policies were led over the link that they were to be led around');
    for (const { policy, data } of relief.moves) moved.push({ id: policies[policy]?.id ?? '', data });
  }
}
