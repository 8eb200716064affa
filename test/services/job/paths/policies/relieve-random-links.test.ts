import { expect, test } from 'vitest';
import type { AlgorithmReply, PolicyPath } from '../../../../../contracts/path-reply.ts';
import type { PathLink, PathRequest, SrPolicy } from '../../../../../contracts/path-request.ts';
import { createRandomNetwork, createRandomPolicies } from '../../../../helpers/random-network.ts';
import { createSeededRandom } from '../../../../helpers/seeded-random.ts';
import { naiveParts } from './naive-loads.ts';
import { longer, parseRequest, pathsById, runComputation, shortest } from './run-computation.ts';

type CongestionRequest = PathRequest<'bod_congest_reopt'>;
type Rules = Partial<CongestionRequest['global']>;

/** Policies on their shortest paths, traffic of theirs and of others on the links, and links that carry too much of it. */
function drawRequest(seed: number, policyCount: number, rules: Rules): CongestionRequest | undefined {
  const random = createSeededRandom(seed);
  const network = createRandomNetwork(seed, { nodeCount: 5, pairCount: 9, maxMetric: 3 });
  const drawn = createRandomPolicies(seed, network, { count: policyCount });
  const [placed] = runComputation('nonbod_reopt', {
    ...network,
    sr_policy: drawn,
    global: { algorithm: [shortest] },
  });
  const found = placed !== undefined && Array.isArray(placed.data) ? placed.data : [];
  const policies = drawn.map((policy) => ({
    ...policy,
    priority: random.below(4),
    traffic_flow: (1 + random.below(70)) / 10,
    bandwidth: random.below(150) / 10,
    path: found.find(({ id }) => id === policy.id)?.data.segs ?? [],
  }));
  const flow_factor = random.pick([1, 1.1]);
  const traffic = trafficOf(policies, flow_factor);
  const links = network.links.map((link) => {
    const own = traffic.get(link.id) ?? 0;
    const traffic_flow = roundNoise(own + random.below(30) / 10);
    return {
      ...link,
      bandwidth: random.below(10) === 0 ? -1 : 10 + random.below(30),
      traffic_flow,
      qos_class: link.qos_class.map((one) => ({ ...one, bandwidth_available: random.below(200) / 10 })),
    };
  });
  const congested_link = links
    .filter(({ bandwidth, traffic_flow }) => bandwidth > 0 && traffic_flow > bandwidth * 0.8)
    .map(({ id }) => id);
  if (congested_link.length === 0) return undefined;
  const algorithm = [shortest, { ...longer, top: 3 }];
  const global = { algorithm, flow_factor, ...rules };
  return parseRequest('bod_congest_reopt', {
    ...network,
    links,
    congested_link,
    sr_policy: policies,
    global,
  });
}

function roundNoise(amount: number): number {
  return +amount.toFixed(9);
}

function trafficOf(policies: readonly SrPolicy[], factor: number): Map<string, number> {
  const traffic = new Map<string, number>();
  for (const { path, traffic_flow } of policies) {
    for (const [link, part] of naiveParts(path)) {
      traffic.set(link, (traffic.get(link) ?? 0) + traffic_flow * factor * part);
    }
  }
  return traffic;
}

/** The links as they are when these policies have moved from their paths to these segments. */
function moveNaively(
  links: readonly PathLink[],
  moves: readonly { policy: SrPolicy; segs: string[][][] }[],
  factor: number,
): PathLink[] {
  return links.map((link) => {
    let { traffic_flow, qos_class } = link;
    for (const { policy, segs } of moves) {
      const change = (naiveParts(segs).get(link.id) ?? 0) - (naiveParts(policy.path).get(link.id) ?? 0);
      traffic_flow = roundNoise(traffic_flow + change * policy.traffic_flow * factor);
      qos_class = qos_class.map((one) => {
        const isOwn = one.class === policy.class;
        const amount = isOwn
          ? roundNoise(one.bandwidth_available - change * policy.bandwidth * factor)
          : undefined;
        return { ...one, bandwidth_available: amount ?? one.bandwidth_available };
      });
    }
    return { ...link, traffic_flow, qos_class };
  });
}

function movesOf(reply: AlgorithmReply, { sr_policy }: CongestionRequest) {
  const moved = Array.isArray(reply.data) ? reply.data : [];
  return moved.map(({ id, data }: { id: string; data: PolicyPath }) => {
    const policy = sr_policy.find((one) => one.id === id);
    if (policy === undefined) throw new Error(`${id} was not asked for`);
    return { policy, segs: data.segs };
  });
}

function isCongested({ bandwidth, traffic_flow }: PathLink): boolean {
  return bandwidth >= 0 && traffic_flow > roundNoise(bandwidth * 0.8);
}

test('no link ends above the threshold by what was moved, nor with less bandwidth than none', () => {
  const statuses = { true: 0, false: 0 };
  for (let seed = 0; seed < 60; seed += 1) {
    const request = drawRequest(seed, 12, {
      reopt_mode: 'loose',
      real_traffic: seed % 3 === 0,
      traffic_ratio: 0.7,
    });
    if (request === undefined) continue;
    const replies = runComputation('bod_congest_reopt', request);
    expect(runComputation('bod_congest_reopt', request)).toEqual(replies);
    const strict = { ...request, global: { ...request.global, reopt_mode: 'strict' } };
    for (const [index, reply] of replies.entries()) {
      const moves = movesOf(reply, request);
      expect(new Set(moves.map(({ policy }) => policy.id)).size).toBe(moves.length);
      const after = moveNaively(request.links, moves, request.global.flow_factor);
      const still = after.filter((link) => isCongested(link) && request.congested_link.includes(link.id));
      expect(reply.status).toBe(still.length === 0);
      if (!reply.status) expect(reply.info).toMatchObject({ links: still.map(({ id }) => id) });
      for (const [place, link] of after.entries()) {
        const before = request.links[place] as PathLink;
        if (link.traffic_flow > before.traffic_flow) expect(isCongested(link)).toBe(false);
        for (const [at, { bandwidth_available }] of link.qos_class.entries()) {
          if (bandwidth_available < (before.qos_class[at]?.bandwidth_available ?? 0)) {
            expect(bandwidth_available).toBeGreaterThanOrEqual(0);
          }
        }
      }
      for (const { policy } of moves) {
        expect(policy.priority).toBeGreaterThan(0);
        const passed = policy.path.flat(2);
        expect(request.congested_link.some((id) => passed.includes(id))).toBe(true);
      }
      const [alone] = runComputation('bod_congest_reopt', {
        ...strict,
        global: { ...strict.global, algorithm: request.global.algorithm.slice(index, index + 1) },
      });
      if (reply.status) expect(alone).toEqual(reply);
      else expect(alone).toMatchObject({ status: false, data: {} });
      statuses[`${reply.status}`] += 1;
    }
  }
  expect(statuses.true).toBeGreaterThan(12);
  expect(statuses.false).toBeGreaterThan(12);
});

/** All sets that carry the excess, the least effort first, then the fewest policies, then those preferred. */
function everySet(request: CongestionRequest, link: PathLink): SrPolicy[][] {
  const { priority_weight, bandwidth_weight, flow_factor, target_threshold } = request.global;
  const excess = link.traffic_flow - link.bandwidth * target_threshold;
  const traffic = (policy: SrPolicy) =>
    policy.traffic_flow * flow_factor * (naiveParts(policy.path).get(link.id) ?? 0);
  const crossing = request.sr_policy
    .filter((policy) => policy.priority > 0 && traffic(policy) > 0)
    .sort((one, other) => other.priority - one.priority || traffic(other) - traffic(one));
  const sets = Array.from({ length: 2 ** crossing.length }, (_, bits) => {
    const members = [...crossing.keys()].filter((place) => (bits >> place) % 2 === 1);
    const policies = members.map((place) => crossing[place] as SrPolicy);
    const effort = policies.reduce(
      (sum, policy) =>
        sum + priority_weight / policy.priority + (bandwidth_weight * traffic(policy)) / excess,
      0,
    );
    return { members, policies, effort, covered: policies.reduce((sum, policy) => sum + traffic(policy), 0) };
  });
  return sets
    .filter(({ covered }) => roundNoise(covered - excess) >= 0)
    .sort((one, other) => {
      const differing = one.members.findIndex((place, at) => place !== other.members[at]);
      const byPreference = (one.members[differing] ?? 0) - (other.members[differing] ?? 0);
      return (
        roundNoise(one.effort - other.effort) || one.members.length - other.members.length || byPreference
      );
    })
    .map(({ policies }) => policies);
}

/** The set placed one by one, each by a request of its own that excludes the links that are out. */
function rerouteNaively(request: CongestionRequest, link: PathLink, set: SrPolicy[]) {
  const { algorithm, flow_factor } = request.global;
  let links = moveNaively(
    request.links,
    set.map((policy) => ({ policy, segs: [] })),
    flow_factor,
  );
  const paths: Record<string, string[][]> = {};
  for (const policy of set) {
    const traffic = policy.traffic_flow * flow_factor;
    const isOut = (one: PathLink) =>
      isCongested({ ...one, traffic_flow: roundNoise(one.traffic_flow + traffic) });
    const out = links.filter((one) => one.id === link.id || isOut(one)).map(({ id }) => id);
    const given = { ...policy, exclude: [...policy.exclude, ...out] };
    const alone = { ...request, links, sr_policy: given, global: { algorithm, flow_factor } };
    const [reply] = runComputation('bod_pasta', alone);
    if (reply === undefined || !reply.status || Array.isArray(reply.data) || !('segs' in reply.data))
      return undefined;
    paths[policy.id] = reply.data.paths;
    links = moveNaively(links, [{ policy: { ...policy, path: [] }, segs: reply.data.segs }], flow_factor);
  }
  return paths;
}

test('the set moved is one of the least effort, of all that can be', () => {
  const places = new Map<number, number>();
  for (let seed = 500; seed < 660; seed += 1) {
    const request = drawRequest(seed, 14, { prioriry_prefer: 'HIGH', traffic_prefer: 'HIGH' });
    const crossed = (id: string) =>
      request?.sr_policy.filter(({ priority, path }) => priority > 0 && path.flat(2).includes(id)).length ??
      0;
    const [id] = request?.congested_link.toSorted((a, b) => crossed(b) - crossed(a)) ?? [];
    const link = request?.links.find((each) => each.id === id);
    if (request === undefined || link === undefined) continue;
    const algorithm = request.global.algorithm.slice(0, 1);
    const one = { ...request, congested_link: [link.id], global: { ...request.global, algorithm } };
    const sets = everySet(one, link);
    let expected: Record<string, string[][]> | undefined;
    let place = 0;
    while (expected === undefined && place < sets.length) {
      expected = rerouteNaively(one, link, sets[place] ?? []);
      place += 1;
    }
    const [reply] = runComputation('bod_congest_reopt', one);
    expect(pathsById(reply)).toEqual(expected ?? {});
    expect(reply?.status).toBe(expected !== undefined);
    const kind = expected === undefined ? -1 : place;
    places.set(kind, (places.get(kind) ?? 0) + 1);
  }
  // Some take the first set, some a later one, and some have none.
  const counts = [1, -1].map((kind) => places.get(kind) ?? 0);
  expect(Math.min(...counts)).toBeGreaterThan(5);
  const later = [...places].filter(([kind]) => kind > 1).reduce((sum, [, count]) => sum + count, 0);
  expect(later).toBeGreaterThan(3);
});
