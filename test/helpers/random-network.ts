// Networks that can be had again: the same seed gives the same nodes, links and policies.
import { type PathLink, type PathNode, type SrPolicy, srPolicySchema } from '../../contracts/path-request.ts';
import { createSeededRandom, type SeededRandom } from './seeded-random.ts';

export type RandomNetwork = { nodes: PathNode[]; links: PathLink[] };

type NetworkSize = {
  nodeCount: number;
  /** Pairs of nodes that are connected, by a link in each direction; at least `nodeCount - 1`. */
  pairCount: number;
  /** Metrics are drawn from 1 up to this; 100 unless given. */
  maxMetric?: number;
};

/** Of every link. */
export const networkClasses = ['gold', 'silver'] as const;
const bandwidths = [100, 400, 1000, 4000];

/**
 * Nodes N0, N1, …, each of which reaches every other one. Both directions have the same metrics, and bandwidths of their
 * own. All fields are there, so that it is a part of a request and what becomes of one.
 */
export function createRandomNetwork(
  seed: number,
  { nodeCount, pairCount, maxMetric = 100 }: NetworkSize,
): RandomNetwork {
  const random = createSeededRandom(seed);
  const nodes = Array.from({ length: nodeCount }, (_, index) => createNode(index));
  const pairs = new Set<string>();
  // A tree first: every node is connected to one before it.
  for (let node = 1; node < nodeCount; node += 1) pairs.add(`${random.below(node)} ${node}`);
  const most = Math.min(pairCount, (nodeCount * (nodeCount - 1)) / 2);
  while (pairs.size < most) {
    const [one, other] = [random.below(nodeCount), random.below(nodeCount)];
    if (one !== other) pairs.add(`${Math.min(one, other)} ${Math.max(one, other)}`);
  }
  const links = [...pairs].flatMap((pair, index) => {
    const [one = 0, other = 0] = pair.split(' ').map(Number);
    const metrics = drawMetrics(random, maxMetric);
    return [
      createLink({ random, local: one, remote: other, sid: 100_000 + 2 * index }, metrics),
      createLink({ random, local: other, remote: one, sid: 100_001 + 2 * index }, metrics),
    ];
  });
  return { nodes, links };
}

/** Policies R0, R1, … between different nodes; `given` is the same in all of them. */
export function createRandomPolicies(
  seed: number,
  { nodes }: Pick<RandomNetwork, 'nodes'>,
  { count, ...given }: { count: number } & Partial<SrPolicy>,
): SrPolicy[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, (_, index) => {
    const head = random.below(nodes.length);
    const tail = (head + 1 + random.below(nodes.length - 1)) % nodes.length;
    return srPolicySchema.parse({
      id: `R${index}`,
      headend: nodes[head]?.id,
      tailend: nodes[tail]?.id,
      bandwidth: 1 + random.below(10),
      priority: random.below(8),
      class: random.pick(networkClasses),
      ...given,
    });
  });
}

/** The least that can be asked for: two nodes, a link, and a policy that leads over it. */
export function createTinyRequest() {
  const nodes = [createNode(0), createNode(1)].map(({ id, ip, sid }) => ({ id, ip, sid }));
  const link = { id: 'N0:1', local: 'N0', remote: 'N1', sid: 1, igp: 10, te: 10, delay: 5, bandwidth: 100 };
  return {
    nodes,
    links: [link],
    sr_policy: { id: 'R0', headend: 'N0', tailend: 'N1', bandwidth: 10 },
    global: { algorithm: [{ algo: 0 }] },
  };
}

type Metrics = Pick<PathLink, 'igp' | 'te' | 'delay' | 'min_delay' | 'max_delay'>;

function drawMetrics(random: SeededRandom, maxMetric: number): Metrics {
  const delay = (1 + random.below(maxMetric * 10)) / 10;
  return {
    igp: 1 + random.below(maxMetric),
    te: 1 + random.below(maxMetric),
    delay,
    min_delay: delay,
    max_delay: delay,
  };
}

function createNode(index: number): PathNode {
  const ip = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
  return { id: `N${index}`, ip, sid: 16_000 + index, prefix: [] };
}

function createLink(
  drawn: { random: SeededRandom; local: number; remote: number; sid: number },
  metrics: Metrics,
): PathLink {
  const { random, local, remote, sid } = drawn;
  const bandwidth = random.pick(bandwidths);
  return {
    id: `N${local}:${sid}`,
    local: `N${local}`,
    remote: `N${remote}`,
    ip: null,
    sid,
    ...metrics,
    bandwidth,
    affinity: 1 << random.below(4),
    qos_class: networkClasses.map((name) => ({
      class: name,
      bandwidth_reserve: bandwidth / 2,
      bandwidth_available: random.below(bandwidth / 2 + 1),
      traffic_flow: 0,
    })),
    traffic_flow: random.below(bandwidth),
  };
}
