// One search for one policy, timed: what every type of computation is made of.
import type { AlgorithmReply, PathFault, PolicyPath } from '../../../../contracts/path-reply.ts';
import type { PathAlgorithm } from '../../../../contracts/path-request.ts';
import { findSegmentLists, type Network, type PolicySearch } from '../segments/find-segment-lists.ts';

export type Placement = { ok: true; data: PolicyPath } | { ok: false; fault: PathFault };

/** What computations are given: a clock in milliseconds that only goes on. */
export type ComputeDeps = { now: () => number };

/** Finds the segment lists of a policy; `time` has the seconds that it took. */
export function placePolicy(network: Network, search: PolicySearch, { now }: ComputeDeps): Placement {
  const startedAt = now();
  const outcome = findSegmentLists(network, search);
  if (!outcome.ok) return outcome;
  return { ok: true, data: { ...outcome.data, time: Math.round(now() - startedAt) / 1000 } };
}

/** The reply for the one policy of a request. */
export function replyForPolicy({ algo }: PathAlgorithm, placement: Placement): AlgorithmReply {
  if (placement.ok) return { algo_type: algo, status: true, info: {}, data: placement.data };
  return { algo_type: algo, status: false, info: placement.fault, data: {} };
}
