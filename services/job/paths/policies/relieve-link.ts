// One congested link: finds the policies to move away from it that take the least effort.
import { scaleAmount } from './amounts.ts';
import { chooseSets } from './choose-sets.ts';
import { findWithoutPlace, type Move, type Moving, movePolicies } from './move-policies.ts';
import type { CongestionRequest } from './present-ways.ts';

/** So many sets are tried to be led around a link. */
const maxSetsTried = 200;

export type Relief = { ok: true; moves: Move[] } | { ok: false; reason: string };
type Rules = CongestionRequest['global'];
/** `traffic`: what of the policy's is on the link. */
type Crossing = { policy: number; priority: number; traffic: number };

/**
 * Moves a set of policies that cross the link, have a priority above 0 and together carry its excess, so that the link
 * carries `target_threshold` of its bandwidth at most. Of the sets that can be led around the links to avoid (the link
 * itself must be one of them) it is that of the least effort: the sum of
 * `priority_weight / priority + bandwidth_weight × traffic on the link / excess`.
 */
export function relieveLink(moving: Moving, rules: Rules, link: number, avoided: readonly number[]): Relief {
  const excess = moving.loads.excess(link);
  const crossing = findCrossing(moving, rules, link);
  const tried = new Set<string>();
  // Begun anew when some turn out to have no place at all, so that no set with one of them costs another try.
  for (let candidates = crossing; ; ) {
    const outcome = trySets(moving, { rules, excess, candidates, avoided, tried });
    if (outcome.kind === 'relieved') return { ok: true, moves: outcome.moves };
    if (outcome.kind === 'none') return { ok: false, reason: explain(crossing, excess, tried.size) };
    candidates = candidates.filter(({ policy }) => !outcome.withoutPlace.has(policy));
  }
}

type Attempt = {
  rules: Rules;
  excess: number;
  candidates: readonly Crossing[];
  avoided: readonly number[];
  /** Sets by their members. */
  tried: Set<string>;
};

type Outcome =
  | { kind: 'relieved'; moves: Move[] }
  | { kind: 'none' }
  | { kind: 'again'; withoutPlace: ReadonlySet<number> };

function trySets(moving: Moving, { rules, excess, candidates, avoided, tried }: Attempt): Outcome {
  const efforts = candidates.map(({ priority, traffic }) => ({
    effort: rules.priority_weight / priority + (rules.bandwidth_weight * traffic) / excess,
    traffic,
  }));
  const movable = candidates.map(({ policy }) => policy);
  const room = { set: movable, avoided };
  const withPlace = new Set<number>();
  for (const members of chooseSets(efforts, excess)) {
    const set = members.map((index) => movable[index] as number);
    const key = set.join();
    if (tried.has(key)) continue;
    if (tried.size >= maxSetsTried) return { kind: 'none' };
    tried.add(key);
    const outcome = movePolicies(moving, set, avoided);
    if (outcome.ok) return { kind: 'relieved', moves: outcome.moves };
    const { failed } = outcome;
    if (withPlace.has(failed)) continue;
    if (findWithoutPlace(moving, [failed], room).length > 0) {
      // It is hardly the only one.
      return { kind: 'again', withoutPlace: new Set(findWithoutPlace(moving, movable, room)) };
    }
    withPlace.add(failed);
  }
  return { kind: 'none' };
}

/** In the order of preference, which is that of placing, too. */
function findCrossing({ policies, ways }: Moving, rules: Rules, link: number): Crossing[] {
  const crossing: Crossing[] = [];
  for (const [policy, { priority }] of policies.entries()) {
    if (priority === 0 || ways.trafficOf(policy) === 0) continue;
    const share = ways.sharesOf(policy).find((one) => one.link === link);
    if (share === undefined) continue;
    crossing.push({ policy, priority, traffic: scaleAmount(ways.trafficOf(policy), share.part) });
  }
  const signOf = (prefer: 'HIGH' | 'LOW') => (prefer === 'HIGH' ? -1 : 1);
  const byPriority = signOf(rules.prioriry_prefer);
  const byTraffic = signOf(rules.traffic_prefer);
  return crossing.sort(
    (one, other) => byPriority * (one.priority - other.priority) || byTraffic * (one.traffic - other.traffic),
  );
}

function explain(crossing: readonly Crossing[], excess: number, tried: number): string {
  if (crossing.length === 0) return 'no policy whose path crosses it has traffic and a priority above 0';
  const movable = crossing.reduce((sum, { traffic }) => sum + traffic, 0);
  if (tried === 0) {
    return `${tidy(excess)} have to go, and the policies that may be moved carry ${tidy(movable)} of it`;
  }
  return `no set of the policies that may be moved was found to have room elsewhere (tried: ${tried})`;
}

function tidy(amount: number): number {
  return scaleAmount(amount, 1);
}
