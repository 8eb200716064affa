// Ansible content on nodes: what the channel adds to a bare ansible-playbook, many runs at once, many nodes, and a stop.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DispatchTaskState } from '../../contracts/dispatch.ts';
import { provideAnsible } from '../helpers/programs.ts';
import { readMetric } from '../helpers/read-metric.ts';
import { type SshNode, type SshNodes, startSshNodes } from '../helpers/ssh-nodes.ts';
import { createBarePlaybook } from './contenders/bare-playbook.ts';
import {
  type BenchRun,
  benchRun,
  findRunFaults,
  fiveTasks,
  twoTasks,
} from './contenders/dispatch-content.ts';
import { type DispatchService, startDispatch } from './contenders/dispatch-service.ts';
import { preparePeer } from './contenders/missing-peer.ts';
import { measureStop } from './contenders/stopped-run.ts';
import { type ProcessPeak, watchProcess } from './contenders/watch-process.ts';
import { type Bench, type BenchContext, type Figure, verify } from './harness/bench.ts';
import { figureOf, type Target, takeTurns } from './harness/compare.ts';

const sizes = {
  full: { pairs: 7, runs: 20, runRounds: 1, nodes: 50, forks: [50, 10], nodeRounds: 1, stops: 3 },
  quick: { pairs: 1, runs: 2, runRounds: 1, nodes: 4, forks: [4], nodeRounds: 1, stops: 1 },
};
/** Of the runs that are compared one by one, and of those that are stopped: each has a server of its own. */
const fewNodes = 3;
const maxNodesPerServer = 10;
/** Half of it comes on top of a run, on average. What is asked more often keeps the service busy: every 20 ms, by a tenth. */
const pollMs = { one: 100, many: 200 };
const peer = 'ansible-playbook';

type Playing = Pick<BenchRun, 'forks' | 'tasks'>;
type Contenders = {
  channel: DispatchService;
  /**
   * Both play the content on each group of nodes, all groups at once; resolve with the milliseconds to the end of the last,
   * and throw unless each step was done on each node.
   */
  ours(groups: readonly SshNode[][], options: Playing & { pollMs: number }): Promise<number>;
  bare(groups: readonly SshNode[][], options: Playing): Promise<number>;
};

export const dispatch: Bench = {
  name: 'dispatch',
  summary: 'Ansible content on nodes beside a bare ansible-playbook; 20 runs at once; 50 nodes; a stop',

  async run(context) {
    const { report } = context;
    const size = sizes[context.isQuick ? 'quick' : 'full'];
    // Nothing can be measured without it.
    if ((await preparePeer('Ansible', context, installAnsible)) === undefined) return { figures: [] };
    const folder = await mkdtemp(join(tmpdir(), 'probe-task-dispatch-'));
    context.keep({ stop: () => rm(folder, { recursive: true, force: true }) });
    const login = context.keep(await startNodes(join(folder, 'nodes'), size.nodes));
    const contenders = await startContenders(context, folder, login);
    const { nodes } = login;
    const apart = pickApart(nodes, fewNodes);

    report(`${size.pairs} pairs of runs on ${fewNodes} nodes`);
    const figures = await compareOne(contenders, apart, size.pairs);
    report(`${size.runs} runs at once`);
    figures.push(...(await compareMany(contenders, nodes.slice(0, size.runs), size.runRounds)));
    for (const forks of size.forks) {
      report(`${nodes.length} nodes, ${forks} forks`);
      figures.push(await compareWide(contenders, nodes, { forks, rounds: size.nodeRounds }));
    }
    report(`${size.stops} runs that are stopped`);
    const stops: number[] = [];
    for (let round = 0; round < size.stops; round += 1)
      stops.push((await measureStop(contenders.channel, apart)) / 1000);
    const metric = `stop, ${fewNodes} nodes whose commands ignore hangups`;
    figures.push(figureOf({ metric, unit: 's', ours: stops, target: { of: 'ours', atMost: 15 } }));
    return { figures };
  },
};

async function installAnsible(): Promise<{ stop(): Promise<void> }> {
  await provideAnsible();
  return { stop: async () => undefined };
}

async function startNodes(folder: string, count: number): Promise<SshNodes> {
  await mkdir(folder);
  return startSshNodes({
    addresses: Array.from({ length: count }, (_, index) => `127.0.9.${index + 1}`),
    folder,
    addressesPerServer: Math.min(maxNodesPerServer, Math.floor(count / fewNodes)),
  });
}

/** The first node of as many servers. */
function pickApart(nodes: readonly SshNode[], count: number): SshNode[] {
  const servers = new Map(nodes.toReversed().map((node) => [node.folder, node]));
  return [...servers.values()].slice(0, count);
}

async function startContenders(context: BenchContext, folder: string, login: SshNodes): Promise<Contenders> {
  const database = context.keep(await context.platform.createDatabase());
  const paths = { databaseUrl: database.url, folder: join(folder, 'dispatch') };
  const channel = await startDispatch(context, { ...paths, login });
  const bare = context.keep(createBarePlaybook(folder, login));
  const contenders: Contenders = {
    channel,
    async ours(groups, { pollMs, ...playing }) {
      const startedAt = performance.now();
      const runs = groups.map((nodes) => benchRun(nodes, playing));
      const ids = await Promise.all(runs.map(channel.run));
      const states: DispatchTaskState[] = [];
      // One at a time is asked about, as a caller with many would.
      for (const id of ids) states.push(await channel.waitForEnd(id, { pollMs }));
      const elapsedMs = performance.now() - startedAt;
      const faults = runs.flatMap((run, index) => {
        const state = states[index];
        return state === undefined ? [] : findRunFaults(state, run);
      });
      verify(faults.length === 0, `runs ${ids.join()}:\n${faults.join('\n')}`);
      return elapsedMs;
    },
    async bare(groups, playing) {
      const times = await Promise.all(groups.map((nodes) => bare.play(benchRun(nodes, playing))));
      return Math.max(...times);
    },
  };
  // The first run of the service looks for Ansible, and its code is compiled as it runs.
  await contenders.ours([login.nodes.slice(0, 1)], { forks: 1, tasks: fiveTasks, pollMs: pollMs.one });
  return contenders;
}

async function compareOne(
  { channel, ours, bare }: Contenders,
  nodes: SshNode[],
  rounds: number,
): Promise<Omit<Figure, 'bench'>[]> {
  const playing = { forks: nodes.length, tasks: fiveTasks };
  const samples: Samples = { ours: [], beside: [] };
  const cpuMs: number[] = [];
  const readCpu = () => readMetric(channel.service.metricsUrl, 'process_cpu_seconds_total');
  await takeTurns(rounds, [
    async () => {
      const cpuBefore = await readCpu();
      samples.ours.push(await ours([nodes], { ...playing, pollMs: pollMs.one }));
      cpuMs.push(((await readCpu()) - cpuBefore) * 1000);
    },
    async () => void samples.beside.push(await bare([nodes], playing)),
  ]);
  return [
    compare(`5 tasks on ${nodes.length} nodes`, samples, { of: 'ratio', atMost: 1.15 }),
    figureOf({ metric: 'CPU of the service for such a run', unit: 'ms', ours: cpuMs }),
  ];
}

/** As many runs as there are nodes, all at once, of one node each. */
async function compareMany(
  { channel, ours, bare }: Contenders,
  nodes: SshNode[],
  rounds: number,
): Promise<Omit<Figure, 'bench'>[]> {
  const samples: Samples = { ours: [], beside: [] };
  const peaks: ProcessPeak[] = [];
  const groups = nodes.map((node) => [node]);
  const playing = { forks: 1, tasks: fiveTasks };
  await takeTurns(rounds, [
    async () => {
      const work = async () =>
        void samples.ours.push(await ours(groups, { ...playing, pollMs: pollMs.many }));
      peaks.push(await watchProcess(channel.service.metricsUrl, work));
    },
    async () => void samples.beside.push(await bare(groups, playing)),
  ]);
  const runs = `${nodes.length} runs at once`;
  return [
    compare(runs, samples),
    figureOf({
      metric: `memory of the service, ${runs}`,
      unit: 'MB',
      ours: peaks.map(({ memoryMb }) => memoryMb),
    }),
    figureOf({
      metric: `longest stall of its event loop, ${runs}`,
      unit: 'ms',
      ours: peaks.map(({ stallMs }) => stallMs),
    }),
  ];
}

async function compareWide(
  { ours, bare }: Contenders,
  nodes: SshNode[],
  { forks, rounds }: { forks: number; rounds: number },
): Promise<Omit<Figure, 'bench'>> {
  const playing = { forks, tasks: twoTasks };
  const samples: Samples = { ours: [], beside: [] };
  await takeTurns(rounds, [
    async () => void samples.ours.push(await ours([nodes], { ...playing, pollMs: pollMs.many })),
    async () => void samples.beside.push(await bare([nodes], playing)),
  ]);
  return compare(`2 tasks on ${nodes.length} nodes, ${forks} forks`, samples);
}

/** Milliseconds of each round. */
type Samples = { ours: number[]; beside: number[] };

function compare(metric: string, { ours, beside }: Samples, target?: Target): Omit<Figure, 'bench'> {
  const seconds = (times: number[]) => times.map((ms) => ms / 1000);
  return figureOf({
    metric,
    unit: 's',
    ours: seconds(ours),
    beside: { peer, samples: seconds(beside) },
    ...(target && { target }),
  });
}
