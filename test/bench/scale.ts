// More processes beside the same servers: nothing gets slower, and what each of them takes of memory.
import { subjects } from '../../contracts/subjects.ts';
import type { TestService } from '../helpers/processes.ts';
import { readMetric } from '../helpers/read-metric.ts';
import { createBacklog } from './contenders/backlog.ts';
import { startCaller } from './contenders/caller.ts';
import { agentEnv, expectedReply, requestBody } from './contenders/one-call.ts';
import { type Bench, type BenchContext, type Curve, type Figure, verify } from './harness/bench.ts';
import { figureOf, type Target, takeTurns } from './harness/compare.ts';
import { median } from './harness/statistics.ts';

const agentCounts = [1, 2, 4];
const gatewayCounts = [1, 2];
const cellsPerRun = 100;
const inFlight = 64;
/** Two cores are full with one process; more of them may not lose anything by it. */
const noStepDown: Target = { of: 'ratio', atLeast: 0.9 };

/** What so many processes do in a second, a sample a round. */
type Point = { count: number; samples: number[] };

export const scale: Bench = {
  name: 'scale',
  summary: 'results/s with 1, 2 and 4 agents, calls/s with 1 and 2 gateways, memory of an idle process',

  async run(context) {
    const idle: Record<'gateway' | 'scheduler' | 'agent', number[]> = {
      gateway: [],
      scheduler: [],
      agent: [],
    };
    const byAgents = await measureAgents(context, idle.agent);
    const byGateways = await measureGateways(context, idle);
    return {
      figures: [
        ...compareSteps('results', 'results/s', 'agent', byAgents),
        ...compareSteps(`calls, ${inFlight} in flight`, 'calls/s', 'gateway', byGateways),
        ...Object.entries(idle).map(([name, samples]) =>
          figureOf({ metric: `memory of an idle ${name}`, unit: 'MB', ours: samples }),
        ),
      ],
      curves: [
        drawPoints('scale-agents', 'Results stored by several agents', 'agents', 'results/s', byAgents),
        drawPoints('scale-gateways', 'Calls answered by several gateways', 'gateways', 'calls/s', byGateways),
      ],
    };
  },
};

async function measureAgents(context: BenchContext, idleMb: number[]): Promise<Point[]> {
  const { isQuick } = context;
  const backlog = await createBacklog(context);
  const agents = await backlog.startAgents(Math.max(...agentCounts));
  for (const { service } of agents) idleMb.push(await readMemory(service));
  const ids = agents.map(({ id }) => id);
  const runs = isQuick ? 200 : 1000;
  const points = agentCounts.map((count): Point => ({ count, samples: [] }));
  // Code is compiled while it runs, and each of them has its own.
  await backlog.drain(ids, { runs: ids.length * (isQuick ? 100 : 600), cellsPerRun });
  await takeTurns(
    isQuick ? 2 : 5,
    points.map(({ count, samples }) => async () => {
      const { elapsedMs } = await backlog.drain(ids.slice(0, count), { runs, cellsPerRun });
      samples.push((runs * cellsPerRun * 1000) / elapsedMs);
    }),
  );
  for (const { service } of agents) await service.stop();
  return points;
}

/** All on one agent, which asks for what each call is about. */
async function measureGateways(
  context: BenchContext,
  idleMb: { gateway: number[]; scheduler: number[] },
): Promise<Point[]> {
  const { isQuick, platform, startService, keep } = context;
  const server = await platform.nameServer();
  const servers = {
    NATS_URL: await platform.natsUrl(),
    DATABASE_URL: keep(await platform.createDatabase()).url,
  };
  const scheduler = await startService('scheduler', servers);
  idleMb.scheduler.push(await readMemory(scheduler));
  await scheduler.stop();
  await startService('agent', { NATS_URL: servers.NATS_URL, ...agentEnv });
  const { call } = await startCaller(context);
  const body = requestBody(server);
  async function callMany(count: number): Promise<number> {
    const { replies, elapsedMs } = await call({ subject: subjects.oneShoot, body, count, inFlight });
    const isRight = replies.length === 1 && replies[0]?.text === expectedReply && replies[0].count === count;
    verify(isRight, `${replies.map((each) => `${each.count} × ${each.text}`).join(', ')}`);
    return (count * 1000) / elapsedMs;
  }
  const points = gatewayCounts.map((count): Point => ({ count, samples: [] }));
  await takeTurns(
    isQuick ? 2 : 5,
    points.map(({ count, samples }) => async () => {
      const gateways = await Promise.all(
        Array.from({ length: count }, () => startService('gateway', servers)),
      );
      for (const gateway of gateways) idleMb.gateway.push(await readMemory(gateway));
      // Code is compiled while it runs, and each of them has its own.
      const warmUpCalls = count * (isQuick ? 3000 : 15_000);
      const calls = isQuick ? 5000 : 20_000;
      await callMany(warmUpCalls);
      samples.push(await callMany(calls));
      await verifyShares(gateways, warmUpCalls + calls);
      for (const gateway of gateways) await gateway.stop();
    }),
  );
  return points;
}

/** Every call was answered by one gateway, and each gateway answered some. */
async function verifyShares(gateways: readonly TestService[], calls: number): Promise<void> {
  const labels = `subject="${subjects.oneShoot}",code="OK"`;
  const answered = await Promise.all(
    gateways.map(({ metricsUrl }) => readMetric(metricsUrl, 'probe_rpc_requests_total', labels)),
  );
  const sum = answered.reduce((total, count) => total + count, 0);
  const isShared = answered.every((count) => count > 0);
  verify(sum === calls && isShared, `the gateways answered ${answered.join(' and ')} of ${calls} calls`);
}

/** Each point beside the one before. */
function compareSteps(
  metric: string,
  unit: string,
  process: string,
  points: readonly Point[],
): Omit<Figure, 'bench'>[] {
  return points.map(({ count, samples }, index) => {
    const before = points[index - 1];
    return figureOf({
      metric: `${metric}, ${nameCount(count, process)}`,
      unit,
      ours: samples,
      ...(before && {
        beside: { peer: nameCount(before.count, process), samples: before.samples },
        target: noStepDown,
      }),
    });
  });
}

function nameCount(count: number, process: string): string {
  return `${count} ${process}${count === 1 ? '' : 's'}`;
}

function drawPoints(name: string, title: string, x: string, y: string, points: readonly Point[]): Curve {
  const line = points.map(({ count, samples }) => ({ x: count, y: median(samples) }));
  return { name, title, x, y, lines: [{ name: y, points: line }] };
}

/** Resident memory in MB (10⁶ octets). */
async function readMemory({ metricsUrl }: TestService): Promise<number> {
  return (await readMetric(metricsUrl, 'process_resident_memory_bytes')) / 1e6;
}
