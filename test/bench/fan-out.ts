// One verbose call to fifty agents: what the gateway adds to the slowest of them, and what a cell costs it.
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { oneShootVerboseReplySchema } from '../../contracts/probe.ts';
import { subjects } from '../../contracts/subjects.ts';
import type { TestService } from '../helpers/processes.ts';
import { readMetric } from '../helpers/read-metric.ts';
import { serveWildcardZone } from '../helpers/wildcard-zone.ts';
import { type AgentFleet, startAgents } from './contenders/agent-fleet.ts';
import { type Calls, startCaller } from './contenders/caller.ts';
import { type Bench, verify } from './harness/bench.ts';
import { figureOf } from './harness/compare.ts';
import { zone, zoneAddress } from './harness/platform.ts';
import { quantile } from './harness/statistics.ts';

const agentIds = Array.from({ length: 50 }, (_, index) => `agent-${String(index).padStart(2, '0')}`);
const domains = Array.from({ length: 10 }, (_, index) => `www${index}.${zone}`);
/** With the gateway, the caller and the servers these fill two cores. */
const agentProcesses = 3;
const warmUpCalls = 60;

/** Of one round: milliseconds of each call and of its slowest agent, microseconds of the gateway per cell. */
type Round = { repliesMs: number[]; slowestMs: number[]; cellUs: number };

export const fanOut: Bench = {
  name: 'fan-out',
  summary: 'one verbose call of 50 agents × 2 servers × 10 names, beside the slowest agent alone',

  async run(context) {
    const { isQuick, platform, startService, keep, report } = context;
    const servers = [await platform.nameServer(), keep(await serveWildcardZone(zone, zoneAddress))].map(
      ({ address, port }) => `${address}:${port}`,
    );
    const fleet = await startAgents(context, agentIds, agentProcesses);
    const database = keep(await platform.createDatabase());
    const gateway = await startService('gateway', {
      NATS_URL: await platform.natsUrl(),
      DATABASE_URL: database.url,
    });
    const { call } = await startCaller(context);
    const cells = listCells(servers);
    const body = JSON.stringify({
      probe_data: { dns_servers: servers },
      target: domains.map((data) => ({ type: 'domain', rtype: 'A', data })),
    });

    async function probe(count: number): Promise<{ calls: Calls; cpuSeconds: number }> {
      const before = await readCpuSeconds(gateway);
      const calls = await call({ subject: subjects.oneShootVerbose, body, count });
      return { calls, cpuSeconds: (await readCpuSeconds(gateway)) - before };
    }

    await probe(warmUpCalls);
    await fleet.takeTimes();
    const idleShare = await measureIdle(gateway, isQuick ? 2000 : 10_000);
    const rounds: Round[] = [];
    let callCount = warmUpCalls;
    for (let round = 0; round < (isQuick ? 3 : 9); round += 1) {
      const count = isQuick ? 30 : 40;
      const { calls, cpuSeconds } = await probe(count);
      callCount += count;
      verifyReplies(calls, count, cells);
      const busySeconds = cpuSeconds - idleShare * (calls.elapsedMs / 1000);
      rounds.push({
        repliesMs: calls.latenciesMs,
        slowestMs: await takeSlowest(fleet, count),
        cellUs: (busySeconds * 1e6) / (count * cells.length),
      });
    }
    const counted = await readMetric(gateway.metricsUrl, 'probe_cells_total', 'outcome="NOERROR"');
    const expected = callCount * cells.length;
    verify(counted === expected, `the gateway counted ${counted} cells that were answered, of ${expected}`);
    for (const reason of ['garbage', 'foreign', 'duplicate', 'late']) {
      const dropped = await readDropped(gateway, reason);
      verify(dropped === 0, `${dropped} replies of agents were dropped: ${reason}`);
    }

    const peer = 'the slowest agent';
    const afterSlowest = rounds.map(({ repliesMs, slowestMs }) =>
      quantile(
        repliesMs.map((ms, index) => ms - (slowestMs[index] ?? Number.NaN)),
        0.99,
      ),
    );
    const memory = await readPeakMemory(gateway.pid);
    if (memory === null) report('no /proc here: the peak memory of the gateway is left out');
    return {
      figures: [
        figureOf({
          metric: 'time to reply, p50',
          unit: 'ms',
          ours: rounds.map(({ repliesMs }) => quantile(repliesMs, 0.5)),
          beside: { peer, samples: rounds.map(({ slowestMs }) => quantile(slowestMs, 0.5)) },
          target: { of: 'difference', atMost: 50 },
        }),
        figureOf({
          metric: 'reply after the slowest agent, p99',
          unit: 'ms',
          ours: afterSlowest,
          target: { of: 'ours', atMost: 50 },
        }),
        figureOf({
          metric: 'CPU of the gateway per cell',
          unit: 'µs',
          ours: rounds.map(({ cellUs }) => cellUs),
          target: { of: 'ours', atMost: 15 },
        }),
        ...(memory === null
          ? []
          : [figureOf({ metric: 'peak memory of the gateway', unit: 'MiB', ours: [memory] })]),
      ],
    };
  },
};

type Cell = { agent: string; server: string; domain: string };

/** In the order of the plan. */
function listCells(servers: string[]): Cell[] {
  return agentIds.flatMap((agent) =>
    servers.flatMap((server) => domains.map((domain) => ({ agent, server, domain }))),
  );
}

/** Every cell has one row, in its place, with the one answer that there is. */
function verifyReplies({ replies }: Calls, calls: number, cells: Cell[]): void {
  const count = replies.reduce((sum, reply) => sum + reply.count, 0);
  verify(count === calls, `${count} replies to ${calls} calls`);
  for (const { text } of replies) {
    const { results } = oneShootVerboseReplySchema.parse(JSON.parse(text));
    verify(results.length === cells.length, `${results.length} rows for ${cells.length} cells`);
    for (const [index, row] of results.entries()) {
      const cell = cells[index];
      const isInPlace =
        row.agent_id === cell?.agent && row.dns_server === cell?.server && row.domain === cell?.domain;
      const isRight = row.dns_response_status === 'NOERROR' && row.delay !== null;
      const [answer] = row.answer_section;
      const isAnswered = row.answer_section.length === 1 && answer?.result === zoneAddress;
      verify(isInPlace && isRight && isAnswered, `row ${index}: ${JSON.stringify(row)}`);
    }
  }
}

/** For each call the time of the agent that took longest over it; calls came one after the other. */
async function takeSlowest(fleet: AgentFleet, calls: number): Promise<number[]> {
  const times = await fleet.takeTimes();
  for (const { id, ordersMs } of times) {
    verify(ordersMs.length === calls, `${id} got ${ordersMs.length} orders of ${calls} calls`);
  }
  return Array.from({ length: calls }, (_, index) =>
    Math.max(...times.map(({ ordersMs }) => ordersMs[index] ?? Number.NaN)),
  );
}

/** Seconds of CPU per second that the gateway takes without any call: heartbeats, its clocks, this reading. */
async function measureIdle(gateway: TestService, ms: number): Promise<number> {
  const before = await readCpuSeconds(gateway);
  const startedAt = performance.now();
  await pause(ms);
  const cpuSeconds = (await readCpuSeconds(gateway)) - before;
  return cpuSeconds / ((performance.now() - startedAt) / 1000);
}

function readCpuSeconds({ metricsUrl }: TestService): Promise<number> {
  return readMetric(metricsUrl, 'process_cpu_seconds_total');
}

function readDropped({ metricsUrl }: TestService, reason: string): Promise<number> {
  return readMetric(metricsUrl, 'probe_agent_replies_dropped_total', `reason="${reason}"`);
}

/** Most memory that the process ever held, in MiB; null where the system does not say. */
async function readPeakMemory(pid: number): Promise<number | null> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kibibytes === undefined ? null : Number(kibibytes) / 1024;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
