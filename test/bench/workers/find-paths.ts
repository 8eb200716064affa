// Computes paths as a thread of the job service does, beside the shortest paths of a library; looks at every one of them.
import type { PolicyPath } from '../../../contracts/path-reply.ts';
import { pathAlgorithmSchema, pathRequestSchemas, type SrPolicy } from '../../../contracts/path-request.ts';
import { computePaths } from '../../../services/job/paths/compute.ts';
import { createNetwork, findSegmentLists } from '../../../services/job/paths/segments/find-segment-lists.ts';
import { createRandomPolicies } from '../../helpers/random-network.ts';
import { createLibraryPaths } from '../contenders/library-paths.ts';
import {
  createBenchNetwork,
  type PathRound,
  pathRoundSchema,
  type TimedPaths,
} from '../contenders/path-rounds.ts';
import { serveWork } from '../harness/serve-work.ts';
import { median } from '../harness/statistics.ts';

/** Of sums of shares. */
const tolerance = 1e-6;
const now = () => performance.now();
const network = createBenchNetwork();
const bandwidths = Float64Array.from(network.links, ({ bandwidth }) => bandwidth);
const ours = createNetwork(network.nodes, network.links);
const library = createLibraryPaths(network);

serveWork(pathRoundSchema, async (round) =>
  round.kind === 'pairs' ? timePairs(round) : timeReoptimisation(round),
);

function timePairs({ algo, seed, count, isCold }: PathRound & { kind: 'pairs' }): TimedPaths {
  const algorithm = pathAlgorithmSchema.parse({ algo });
  const oursMs: number[] = [];
  const besideMs: number[] = [];
  const faults: string[] = [];
  for (const [index, policy] of createRandomPolicies(seed, network, { count, class: null }).entries()) {
    let found = Number.NaN;
    let least = Number.NaN;
    const contenders = [
      () => {
        const built = isCold ? createNetwork(network.nodes, network.links) : ours;
        const outcome = findSegmentLists(built, { policy, algorithm, requiredBandwidth: 0, bandwidths });
        if (outcome.ok) found = outcome.data.attr.igp;
      },
      () => {
        const built = isCold ? createLibraryPaths(network) : library;
        least = built.findLeastCost(policy.headend, policy.tailend);
      },
    ];
    const samples = [oursMs, besideMs];
    for (const turn of index % 2 === 0 ? [0, 1] : [1, 0]) {
      const startedAt = now();
      contenders[turn]?.();
      samples[turn]?.push(now() - startedAt);
    }
    if (found !== least) faults.push(`${policy.headend} to ${policy.tailend}: ${found} instead of ${least}`);
  }
  return summarise({ oursMs: median(oursMs), besideMs: median(besideMs), faults, placed: count });
}

function timeReoptimisation({ algo, seed, policies }: PathRound & { kind: 'reoptimisation' }): TimedPaths {
  const wanted = createRandomPolicies(seed, network, { count: policies });
  const request = pathRequestSchemas.bod_reopt.parse({
    ...network,
    sr_policy: wanted,
    global: { algorithm: [{ algo }], reopt_mode: 'loose' },
  });
  const startedAt = now();
  const [reply] = computePaths('bod_reopt', request, { now }).data;
  const oursMs = now() - startedAt;

  const besideAt = now();
  const least = new Map(
    wanted.map(({ id, headend, tailend }) => [id, library.findLeastCost(headend, tailend)]),
  );
  const besideMs = now() - besideAt;

  const placed = reply !== undefined && Array.isArray(reply.data) ? reply.data : [];
  const policyOf = new Map(wanted.map((policy) => [policy.id, policy]));
  const faults: string[] = [];
  const booked = new Map<string, number>();
  for (const { id, data } of placed) {
    const policy = policyOf.get(id);
    const isThere = data.paths.every(
      (path) => path[0] === policy?.headend && path.at(-1) === policy?.tailend,
    );
    if (!isThere || data.paths.length === 0)
      faults.push(`${id}: its paths do not lead from its head to its tail`);
    // What others took may leave a longer one.
    if (data.attr.igp < (least.get(id) ?? Infinity)) faults.push(`${id}: shorter than the shortest path`);
    if (policy !== undefined) book(booked, policy, data.segs);
  }
  for (const { id, qos_class: classes } of network.links) {
    for (const { class: name, bandwidth_reserve: limit } of classes) {
      const sum = booked.get(`${name} ${id}`) ?? 0;
      if (sum > limit + tolerance) faults.push(`${id}: ${sum} of ${limit} are booked`);
    }
  }
  return summarise({ oursMs, besideMs, faults, placed: placed.length });
}

/** Each of the equal-cost paths of a segment takes the same share. */
function book(booked: Map<string, number>, policy: SrPolicy, segments: PolicyPath['segs']): void {
  for (const paths of segments) {
    for (const link of paths.flatMap((path) => path.filter((_, index) => index % 2 === 1))) {
      const key = `${policy.class} ${link}`;
      booked.set(key, (booked.get(key) ?? 0) + policy.bandwidth / paths.length);
    }
  }
}

function summarise(timed: TimedPaths): TimedPaths {
  return { ...timed, faults: timed.faults.slice(0, 10) };
}
