// Leads a set of policies around congested links, or leaves all of them where they are.
import type { PolicyPath } from '../../../../contracts/path-reply.ts';
import type { PathAlgorithm, SrPolicy } from '../../../../contracts/path-request.ts';
import type { Network } from '../segments/find-segment-lists.ts';
import type { LinkLoads } from './link-loads.ts';
import { type ComputeDeps, type Placement, placePolicy } from './place-policy.ts';
import type { PresentWays } from './present-ways.ts';
import { sharesOf } from './way-shares.ts';

/** Policies and links are meant by index. */
export type Moving = {
  network: Network;
  algorithm: PathAlgorithm;
  policies: readonly SrPolicy[];
  ways: PresentWays;
  loads: LinkLoads;
  deps: ComputeDeps;
};

export type Move = { policy: number; data: PolicyPath };
/** `failed`: the first policy for which there was no room. */
export type MoveOutcome = { ok: true; moves: Move[] } | { ok: false; failed: number };

const nowhere = [] as const;

/**
 * Takes all of the set away from where they are, then places one after the other in the order given: not over the
 * links to avoid, and over none that would then carry more than it may. When one finds no way, all is as it was.
 */
export function movePolicies(
  moving: Moving,
  set: readonly number[],
  avoided: readonly number[],
): MoveOutcome {
  const { network, ways } = moving;
  const before = set.map((policy) => ways.sharesOf(policy));
  for (const policy of set) ways.move(policy, nowhere);
  const moves: Move[] = [];
  for (const policy of set) {
    const placement = findPlace(moving, policy, avoided);
    if (!placement.ok) {
      for (const taken of set) ways.move(taken, nowhere);
      for (const [place, shares] of before.entries()) ways.move(set[place] as number, shares);
      return { ok: false, failed: policy };
    }
    ways.move(policy, sharesOf(network.topology, placement.data.segs));
    moves.push({ policy, data: placement.data });
  }
  return { ok: true, moves };
}

/**
 * Those that have no place whatever part of the set goes with them: there is none even with all of the set taken away.
 * More room can only make it better, but where a limit is set on the paths by something else than what makes them the
 * shortest: nothing is said then.
 */
export function findWithoutPlace(
  moving: Moving,
  policies: readonly number[],
  { set, avoided }: { set: readonly number[]; avoided: readonly number[] },
): number[] {
  const { ways, algorithm } = moving;
  if (algorithm.limit > 0 && !algorithm.loose && algorithm.sorter !== 'metric') return [];
  const before = set.map((index) => ways.sharesOf(index));
  for (const index of set) ways.move(index, nowhere);
  const found = policies.filter((policy) => {
    const placement = findPlace(moving, policy, avoided);
    return !placement.ok && placement.fault.code === 'NO_PATH';
  });
  for (const [place, shares] of before.entries()) ways.move(set[place] as number, shares);
  return found;
}

function findPlace(
  { network, algorithm, policies, ways, loads, deps }: Moving,
  index: number,
  avoided: readonly number[],
): Placement {
  const policy = policies[index] as SrPolicy;
  return placePolicy(
    network,
    {
      policy,
      algorithm,
      requiredBandwidth: ways.demandOf(index),
      bandwidths: ways.books.left(policy.class),
      isBlocked: loads.blockFor(ways.trafficOf(index), avoided),
      isExplained: false,
    },
    deps,
  );
}
