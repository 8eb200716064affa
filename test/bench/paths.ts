// Paths through a network of a thousand nodes beside the shortest paths of a library, and the queue of jobs beside another.
import { createRandomPolicies } from '../helpers/random-network.ts';
import { createJobBacklog, type JobBacklog } from './contenders/job-backlog.ts';
import { isInstalled } from './contenders/missing-peer.ts';
import {
  createBenchNetwork,
  type PathRound,
  type TimedPaths,
  timedPathsSchema,
} from './contenders/path-rounds.ts';
import { type QueueDrain, startQueueDrain } from './contenders/queue-drain.ts';
import { type Bench, type BenchContext, type Figure, verify } from './harness/bench.ts';
import { figureOf, takeTurns } from './harness/compare.ts';
import type { BenchWorker } from './harness/start-worker.ts';

const sizes = {
  full: {
    rounds: 7,
    pairs: { 0: 300, 1: 100 },
    policies: 1000,
    jobs: 5000,
    submissions: 2000,
    graphileJobs: 60_000,
    polls: 5000,
    queueRounds: 5,
  },
  quick: {
    rounds: 2,
    pairs: { 0: 50, 1: 20 },
    policies: 100,
    jobs: 500,
    submissions: 200,
    graphileJobs: 5000,
    polls: 500,
    queueRounds: 2,
  },
};
type Size = (typeof sizes)['full'];
const algorithms = [
  { algo: 0, path: 'one path' },
  { algo: 1, path: '10 best paths' },
] as const;
const library = 'graphology dijkstra';

export const paths: Bench = {
  name: 'paths',
  summary:
    'paths through 1,000 nodes and 4,000 links, beside graphology’s Dijkstra; tiny jobs beside graphile-worker',

  async run(context) {
    const size = sizes[context.isQuick ? 'quick' : 'full'];
    const figures = await measurePaths(context, size);
    figures.push(...(await measureQueue(context, size)));
    return { figures };
  },
};

async function measurePaths(context: BenchContext, size: Size): Promise<Omit<Figure, 'bench'>[]> {
  const worker = await context.startWorker('find-paths');
  const figures: Omit<Figure, 'bench'>[] = [];
  for (const { algo, path } of algorithms) {
    for (const isCold of [true, false]) {
      const metric = isCold ? `${path}, network built` : path;
      context.report(metric);
      const count = size.pairs[algo];
      const timed = await timeRounds(worker, size.rounds, (seed) => ({
        kind: 'pairs',
        algo,
        seed,
        count,
        isCold,
      }));
      figures.push(compare(metric, 'ms', timed, isCold ? `${library}, graph built` : library));
    }
    const many = size.policies.toLocaleString('en-US');
    const metric = `reoptimisation of ${many} policies, algorithm ${algo}`;
    context.report(metric);
    const timed = await timeRounds(worker, Math.min(size.rounds, 3), (seed) => ({
      kind: 'reoptimisation',
      algo,
      seed,
      policies: size.policies,
    }));
    context.report(`  ${timed.map(({ placed }) => placed).join(', ')} of them have a path`);
    figures.push(compare(metric, 's', timed, `${many} × ${library}`));
  }
  return figures;
}

/** One more round before them, which does not count: code is compiled while it runs. */
async function timeRounds(
  worker: BenchWorker,
  rounds: number,
  roundOf: (seed: number) => PathRound,
): Promise<TimedPaths[]> {
  const timed: TimedPaths[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const result = await worker.run(roundOf(round), timedPathsSchema);
    verify(result.faults.length === 0, result.faults.join('\n'));
    verify(result.placed > 0, 'no policy has a path');
    if (round > 0) timed.push(result);
  }
  return timed;
}

function compare(
  metric: string,
  unit: 'ms' | 's',
  timed: readonly TimedPaths[],
  peer: string,
): Omit<Figure, 'bench'> {
  const divisor = unit === 's' ? 1000 : 1;
  return figureOf({
    metric,
    unit,
    ours: timed.map(({ oursMs }) => oursMs / divisor),
    beside: { peer, samples: timed.map(({ besideMs }) => besideMs / divisor) },
  });
}

async function measureQueue(context: BenchContext, size: Size): Promise<Omit<Figure, 'bench'>[]> {
  const backlog = await createJobBacklog(context);
  const graphile = await startGraphile(context);
  context.report(`${size.jobs} tiny jobs`);
  // The compiler of V8 is through with what each of them runs through.
  await backlog.drain(size.jobs);
  await graphile?.({ jobs: size.jobs });
  const rates = { jobs: [] as number[], besides: [] as number[] };
  await takeTurns(size.queueRounds, [
    async () => void rates.jobs.push(await backlog.drain(size.jobs)),
    async () => void (graphile && rates.besides.push(await graphile({ jobs: size.graphileJobs }))),
  ]);
  return [
    figureOf({
      metric: 'tiny jobs, computed and stored',
      unit: 'jobs/s',
      ours: rates.jobs,
      beside: graphile && { peer: 'graphile-worker 0.18, jobs that do nothing', samples: rates.besides },
    }),
    ...(await measureCalls(backlog, size)),
  ];
}

async function measureCalls(backlog: JobBacklog, size: Size): Promise<Omit<Figure, 'bench'>[]> {
  const submitted: number[] = [];
  const polled: number[] = [];
  const asked: number[] = [];
  const ranMs: number[] = [];
  const network = createBenchNetwork();
  const policies = createRandomPolicies(0, network, {
    count: size.queueRounds * 4,
    class: null,
    bandwidth: 0,
  });
  for (const policy of policies) ranMs.push(await backlog.run({ ...network, sr_policy: policy }));
  await takeTurns(size.queueRounds, [
    async () => void submitted.push(await backlog.submit(size.submissions)),
    async () => void polled.push(await backlog.poll(size.polls)),
    async () => void asked.push(await backlog.askHealth(size.polls)),
  ]);
  return [
    figureOf({ metric: 'both paths as a job, from submission to result', unit: 'ms', ours: ranMs }),
    figureOf({ metric: 'tiny jobs, submitted over HTTP and done', unit: 'jobs/s', ours: submitted }),
    figureOf({
      metric: 'calls of check_status',
      unit: 'calls/s',
      ours: polled,
      beside: { peer: '/healthz of the service', samples: asked },
    }),
  ];
}

async function startGraphile(context: BenchContext): Promise<QueueDrain | undefined> {
  if (isInstalled('graphile-worker')) return startQueueDrain('drain-graphile', context);
  context.report('without graphile-worker: its package is not installed');
  return undefined;
}
