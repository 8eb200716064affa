// The types that look for the path of one policy: with bandwidth, without, and of a policy that changed.
import type { AlgorithmReply } from '../../../../contracts/path-reply.ts';
import type { PathRequest, SrPolicy } from '../../../../contracts/path-request.ts';
import { createNetwork, type Network } from '../segments/find-segment-lists.ts';
import { scaleAmount } from './amounts.ts';
import { createBooks, linkBandwidths, linkDecimals } from './bandwidths.ts';
import { blockLoadedLinks } from './block-loaded-links.ts';
import { type ComputeDeps, placePolicy, replyForPolicy } from './place-policy.ts';
import { sharesOf } from './way-shares.ts';

/** A path on whose links the bandwidth of the policy is available to its class. */
export function computeReserved(request: PathRequest<'bod_pasta'>, deps: ComputeDeps): AlgorithmReply[] {
  const { nodes, links, sr_policy: policy, global } = request;
  const network = createNetwork(nodes, links);
  const requiredBandwidth = scaleAmount(policy.bandwidth, global.flow_factor);
  const books = createBooks(network.topology, 'bandwidth_available', linkDecimals(links));
  return search(request, { network, requiredBandwidth, bandwidths: books.left(policy.class) }, deps);
}

/** Nothing is reserved: any bandwidth is good enough. */
export function computeUnreserved(request: PathRequest<'nonbod_pasta'>, deps: ComputeDeps): AlgorithmReply[] {
  const network = createNetwork(request.nodes, request.links);
  const bandwidths = linkBandwidths(request.links);
  return search(request, { network, requiredBandwidth: 0, bandwidths }, deps);
}

/** As with `computeReserved`, once the bandwidth that the policy had is given back; that was of its class, unless told. */
export function computeModified(request: PathRequest<'bod_modified'>, deps: ComputeDeps): AlgorithmReply[] {
  const { nodes, links, sr_policy: policy, global } = request;
  const { former } = policy;
  const network = createNetwork(nodes, links);
  const requiredBandwidth = scaleAmount(policy.bandwidth, global.flow_factor);
  const formerBandwidth = scaleAmount(former.bandwidth, global.flow_factor);
  const shares = sharesOf(network.topology, former.path);
  const decimals = linkDecimals(links, new Map(shares.map(({ link }) => [link, formerBandwidth])));
  const books = createBooks(network.topology, 'bandwidth_available', decimals);
  books.giveBack(former.class ?? policy.class, shares, formerBandwidth);
  return search(request, { network, requiredBandwidth, bandwidths: books.left(policy.class) }, deps);
}

type Demand = { network: Network; requiredBandwidth: number; bandwidths: Float64Array };

/** By each algorithm; they all have the same to choose from. */
function search(
  { links, sr_policy: policy, global }: PathRequest<'nonbod_pasta'> & { sr_policy: SrPolicy },
  { network, ...demand }: Demand,
  deps: ComputeDeps,
): AlgorithmReply[] {
  const isBlocked = blockLoadedLinks(links, global);
  return global.algorithm.map((algorithm) =>
    replyForPolicy(algorithm, placePolicy(network, { policy, algorithm, ...demand, isBlocked }, deps)),
  );
}
