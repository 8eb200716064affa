// Ready runs that become stored results, beside queues whose jobs do nothing and beside what Postgres gives at most.
import { maxRunCells } from '../../contracts/run.ts';
import { createBacklog } from './contenders/backlog.ts';
import { isInstalled } from './contenders/missing-peer.ts';
import { startQueueDrain } from './contenders/queue-drain.ts';
import type { Bench, Curve, Figure } from './harness/bench.ts';
import { figureOf, type Target, takeTurns } from './harness/compare.ts';
import { median } from './harness/statistics.ts';

/**
 * A run is as large as its task, up to 100 cells, and a domain group fills it: 25 names × 2 types × 2 servers. One cell
 * is the least: the whole price of claim and completion for one name.
 */
const loads = [
  { cellsPerRun: maxRunCells, cells: { quick: 40_000, full: 100_000 } },
  { cellsPerRun: 10, cells: { quick: 15_000, full: 30_000 } },
  { cellsPerRun: 1, cells: { quick: 6000, full: 15_000 } },
];
/** Seconds of work for all of them: the first tenths cost a queue less than what follows. */
const jobCount = { quick: 25_000, full: 60_000 };
/** The compiler of V8 is through with what each of them runs through. */
const warmUp = { cells: 40_000, jobs: 5000 };

/** Runs or jobs per second, a sample a round. */
type Contender = { name: string; samples: number[]; measure(): Promise<void> };
type Ours = Contender & { cellsPerRun: number };

export const recurring: Bench = {
  name: 'recurring',
  summary:
    'ready runs → claimed → probed over UDP → stored, by one agent, beside graphile-worker and pg-boss',

  async run(context) {
    const size = context.isQuick ? 'quick' : 'full';
    const backlog = await createBacklog(context);
    const agentIds = (await backlog.startAgents(1)).map(({ id }) => id);
    async function rateOf(cells: number, cellsPerRun: number): Promise<number> {
      const runs = cells / cellsPerRun;
      const { elapsedMs } = await backlog.drain(agentIds, { runs, cellsPerRun });
      return (runs * 1000) / elapsedMs;
    }
    await rateOf(warmUp.cells, maxRunCells);
    const ours = loads.map(({ cellsPerRun, cells }): Ours => {
      const name = cellsPerRun === 1 ? 'runs of one cell' : `runs of ${cellsPerRun} cells`;
      return { cellsPerRun, ...createContender(name, () => rateOf(cells[size], cellsPerRun)) };
    });

    async function startQueue(
      name: string,
      worker: string,
      more: { connections?: number } = {},
    ): Promise<Contender[]> {
      const drain = await startQueueDrain(worker, context);
      await drain({ jobs: warmUp.jobs, ...more });
      return [createContender(name, () => drain({ jobs: jobCount[size], ...more }))];
    }
    /** Nothing where its package is not installed. */
    async function startPeer(name: string, packageName: string, worker: string): Promise<Contender[]> {
      if (isInstalled(packageName)) return startQueue(name, worker);
      context.report(`without ${name}: the package ${packageName} is not installed`);
      return [];
    }
    const graphile = await startPeer('graphile-worker 0.18', 'graphile-worker', 'drain-graphile');
    const boss = await startPeer('pg-boss 12', 'pg-boss', 'drain-pg-boss');
    const limit = 'bare claim-complete of 100';
    const four = await startQueue(`${limit}, 4 connections`, 'drain-bare-queue', { connections: 4 });
    const two = await startQueue(`${limit}, 2 connections`, 'drain-bare-queue', { connections: 2 });
    const peers = [...graphile, ...boss, ...four, ...two];
    await takeTurns(
      context.isQuick ? 2 : 5,
      [...graphile, ...ours, ...boss, ...four, ...two].map(({ measure }) => measure),
    );

    const [full, ...small] = ours;
    if (full === undefined) throw new Error('nothing was measured');
    return {
      figures: [
        ...graphile.map((peer) => compareResults(full, peer, { of: 'ratio', atLeast: 1.25 })),
        ...[...boss, ...four, ...two].map((peer) => compareResults(full, peer)),
        ...small.flatMap((each) => graphile.map((peer) => compareResults(each, peer))),
        ...ours.flatMap((each) => two.map((peer) => compareRuns(each, peer))),
      ],
      curves: [drawSizes(ours, peers)],
    };
  },
};

function createContender(name: string, rate: () => Promise<number>): Contender {
  const samples: number[] = [];
  return {
    name,
    samples,
    async measure() {
      samples.push(await rate());
    },
  };
}

function countResults({ samples, cellsPerRun }: Ours): number[] {
  return samples.map((runs) => runs * cellsPerRun);
}

function compareResults(ours: Ours, peer: Contender, target?: Target): Omit<Figure, 'bench'> {
  return figureOf({
    metric: `results, ${ours.name}`,
    unit: 'results/s',
    ours: countResults(ours),
    beside: { peer: `${peer.name}, jobs/s`, samples: peer.samples },
    ...(target && { target }),
  });
}

function compareRuns(ours: Ours, peer: Contender): Omit<Figure, 'bench'> {
  return figureOf({
    metric: ours.name,
    unit: 'runs/s',
    ours: ours.samples,
    beside: { peer: `${peer.name}, runs/s`, samples: peer.samples },
  });
}

/** A job of another queue does nothing: it has no cells, so theirs are level lines. */
function drawSizes(ours: readonly Ours[], peers: readonly Contender[]): Curve {
  const sizes = ours.map(({ cellsPerRun }) => cellsPerRun).toSorted((one, other) => one - other);
  const ownPoints = ours.map((each) => ({ x: each.cellsPerRun, y: median(countResults(each)) }));
  return {
    name: 'recurring',
    title: 'Results stored by one agent',
    x: 'cells in a run',
    y: 'results/s, jobs/s',
    lines: [
      { name: 'agent, results/s', points: ownPoints.toSorted((one, other) => one.x - other.x) },
      ...peers.map(({ name, samples }) => ({
        name: `${name}, jobs/s`,
        points: sizes.map((x) => ({ x, y: median(samples) })),
      })),
    ],
  };
}
