// The types that place all policies anew, one after the other.
import type { AlgorithmReply, PathFault, PolicyPath } from '../../../../contracts/path-reply.ts';
import type { PathAlgorithm, PathRequest, SrPolicy } from '../../../../contracts/path-request.ts';
import { createNetwork, type Network } from '../segments/find-segment-lists.ts';
import { scaleAmount } from './amounts.ts';
import { createBooks, linkBandwidths, linkDecimals } from './bandwidths.ts';
import { blockLoadedLinks } from './block-loaded-links.ts';
import { type ComputeDeps, type Placement, placePolicy } from './place-policy.ts';
import { sharesOf } from './way-shares.ts';

type ReoptRequest = PathRequest<'bod_reopt' | 'nonbod_reopt'>;
type Place = (policy: SrPolicy) => Placement;

/** Each policy takes its bandwidth from what is reserved for its class and was not taken by those placed before it. */
export function reoptimiseReserved(request: PathRequest<'bod_reopt'>, deps: ComputeDeps): AlgorithmReply[] {
  const { links, global } = request;
  const demandOf = (policy: SrPolicy) => scaleAmount(policy.bandwidth, global.flow_factor);
  const decimals = linkDecimals(links);
  const isBlocked = blockLoadedLinks(links, global);
  return reoptimise(request, (network, algorithm) => {
    const books = createBooks(network.topology, 'bandwidth_reserve', decimals);
    return (policy) => {
      const requiredBandwidth = demandOf(policy);
      const bandwidths = books.left(policy.class);
      const placement = placePolicy(
        network,
        { policy, algorithm, requiredBandwidth, bandwidths, isBlocked },
        deps,
      );
      if (placement.ok) {
        books.take(policy.class, sharesOf(network.topology, placement.data.segs), requiredBandwidth);
      }
      return placement;
    };
  });
}

/** No policy takes anything from another one. */
export function reoptimiseUnreserved(
  request: PathRequest<'nonbod_reopt'>,
  deps: ComputeDeps,
): AlgorithmReply[] {
  const bandwidths = linkBandwidths(request.links);
  const isBlocked = blockLoadedLinks(request.links, request.global);
  return reoptimise(
    request,
    (network, algorithm) => (policy) =>
      placePolicy(network, { policy, algorithm, requiredBandwidth: 0, bandwidths, isBlocked }, deps),
  );
}

/** Each algorithm starts from the same network. */
function reoptimise(
  { nodes, links, sr_policy, global }: ReoptRequest,
  createPlace: (network: Network, algorithm: PathAlgorithm) => Place,
): AlgorithmReply[] {
  const network = createNetwork(nodes, links);
  const policies = sortPolicies(sr_policy, global.sorting);
  return global.algorithm.map((algorithm) =>
    placeAll(policies, algorithm, global.reopt_mode, createPlace(network, algorithm)),
  );
}

/** A copy in the order in which they are placed; those that are alike keep the order that they came in. */
function sortPolicies(policies: readonly SrPolicy[], sorting: ReoptRequest['global']['sorting']): SrPolicy[] {
  const key = sorting.startsWith('bandwidth') ? 'bandwidth' : 'priority';
  const sign = sorting.endsWith('desc') ? -1 : 1;
  return policies.toSorted((one, other) => sign * (one[key] - other[key]));
}

function placeAll(
  policies: readonly SrPolicy[],
  { algo }: PathAlgorithm,
  mode: ReoptRequest['global']['reopt_mode'],
  place: Place,
): AlgorithmReply {
  const placed: { id: string; data: PolicyPath }[] = [];
  const failed: { id: string; fault: PathFault }[] = [];
  for (const policy of policies) {
    const placement = place(policy);
    if (placement.ok) placed.push({ id: policy.id, data: placement.data });
    else failed.push({ id: policy.id, fault: placement.fault });
    if (!placement.ok && mode === 'strict') break;
  }
  const [first] = failed;
  if (first === undefined) return { algo_type: algo, status: true, info: {}, data: placed };
  const message = `${first.id}: ${first.fault.message}${failed.length > 1 ? ` (and ${failed.length - 1} more)` : ''}`;
  return {
    algo_type: algo,
    status: false,
    info: { code: first.fault.code, message, policies: failed.map(({ id }) => id) },
    data: mode === 'strict' ? {} : placed,
  };
}
