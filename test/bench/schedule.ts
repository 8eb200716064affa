// Ten thousand tasks due in one second, each for five agents, beside one insert of as many rows.
import { Client } from 'pg';
import { z } from 'zod';
import {
  addDueTasks,
  addWaitingTasks,
  agentCount,
  chooseIds,
  cycleMs,
  findPlanFaults,
  makeDueAgain,
  registerAgents,
} from './contenders/due-tasks.ts';
import { readVisibility, type Visibility, watchCommits } from './contenders/watch-commits.ts';
import { type Bench, type BenchContext, verify } from './harness/bench.ts';
import { figureOf, takeTurns } from './harness/compare.ts';
import { quantile } from './harness/statistics.ts';

const taskCount = 10_000;
const runCount = taskCount * agentCount;
const waitingCount = 100_000;
/** Time for the tasks to be written before their second begins. */
const leadMs = 2000;
const turnsSchema = z.object({ turnMs: z.array(z.number()), slots: z.int() });

export const schedule: Bench = {
  name: 'schedule',
  summary:
    '10,000 tasks due in one second × 5 agents, beside one insert … select of as many rows; an idle tick',

  async run(context) {
    const { isQuick, platform, startService } = context;
    const database = context.keep(await platform.createDatabase());
    const client = await connect(context, database.url);
    const idsBySecond = chooseIds(taskCount);
    const scheduler = await startService('scheduler', {
      NATS_URL: await platform.natsUrl(),
      DATABASE_URL: database.url,
    });

    const lagsMs: number[][] = [];
    const planned: number[] = [];
    const inserted: number[] = [];
    async function measureScheduler(): Promise<void> {
      await registerAgents(client);
      const secondStartMs = Math.ceil(((await readClock(client)) + leadMs) / 1000) * 1000;
      const ids = idsBySecond[(secondStartMs % cycleMs) / 1000] ?? [];
      await addDueTasks(client, ids, secondStartMs);
      verify((await readClock(client)) < secondStartMs, 'the tasks were written too late');
      const asTheyComeDue = await watchPlan(client, secondStartMs);
      lagsMs.push(asTheyComeDue.map(({ scheduledAtMs, visibleAtMs }) => visibleAtMs - scheduledAtMs));

      await makeDueAgain(client);
      const allAtOnce = await watchPlan(client, secondStartMs);
      const endMs = allAtOnce.reduce((latest, { visibleAtMs }) => Math.max(latest, visibleAtMs), 0);
      planned.push((runCount * 1000) / (endMs - (await readStart(client))));
    }
    async function measureInsert(): Promise<void> {
      inserted.push((runCount * 1000) / (await insertAgain(client)));
    }
    await takeTurns(isQuick ? 2 : 7, [measureScheduler, measureInsert]);
    await scheduler.stop();

    await addWaitingTasks(client, waitingCount);
    const idleMs = await measureIdleTurns(context, database.url);
    const at = (share: number) => lagsMs.map((round) => quantile(round, share));
    return {
      figures: [
        figureOf({
          metric: 'planned',
          unit: 'runs/s',
          ours: planned,
          beside: { peer: `one insert of ${runCount.toLocaleString('en-US')} rows`, samples: inserted },
          target: { of: 'ratio', atLeast: 0.5 },
        }),
        figureOf({ metric: 'lag p50', unit: 'ms', ours: at(0.5) }),
        figureOf({ metric: 'lag p99', unit: 'ms', ours: at(0.99), target: { of: 'ours', atMost: 2000 } }),
        figureOf({
          metric: 'idle tick, 100,000 tasks',
          unit: 'ms',
          ours: idleMs,
          target: { of: 'ours', atMost: 5 },
        }),
      ],
    };
  },
};

async function connect({ keep }: Pick<BenchContext, 'keep'>, connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  keep({ stop: () => client.end() });
  return client;
}

/** The database's, in milliseconds since the epoch. */
async function readClock(client: Client): Promise<number> {
  const { rows } = await client.query('select clock_timestamp() as now');
  return Number(z.object({ now: z.date() }).parse(rows[0]).now);
}

/** Watches until every task has a slot, and makes sure that slots and runs are what they are to be. */
async function watchPlan(client: Client, secondStartMs: number): Promise<Visibility[]> {
  const sightings = await watchCommits(client, async () => {
    const { rows } = await client.query('select count(*)::integer from probe_slot');
    return z.object({ count: z.int() }).parse(rows[0]).count >= taskCount;
  });
  const faults = await findPlanFaults(client, secondStartMs);
  verify(faults.length === 0, faults.join('\n'));
  const visibility = await readVisibility(client, sightings);
  verify(visibility.length === runCount, `${visibility.length} runs of ${runCount}`);
  return visibility;
}

/** When the first turn that planned anything began. */
async function readStart(client: Client): Promise<number> {
  const { rows } = await client.query(
    'select extract(epoch from min(planned_at))::float8 * 1000 as ms from probe_slot',
  );
  return z.object({ ms: z.number() }).parse(rows[0]).ms;
}

/** Milliseconds for the runs that are there to be inserted once more into the emptied table, by one statement. */
async function insertAgain(client: Client): Promise<number> {
  const columns = 'task_id, scheduled_at, agent_id, chunk, payload, due_at, expires_at';
  await client.query('drop table if exists planned');
  await client.query(`create table planned as select ${columns} from probe_run order by id`);
  await client.query('truncate probe_run');
  const startedAt = performance.now();
  const { rowCount } = await client.query(
    `insert into probe_run (${columns}) select ${columns} from planned`,
  );
  const elapsedMs = performance.now() - startedAt;
  verify(rowCount === runCount, `${rowCount} rows of ${runCount}`);
  return elapsedMs;
}

/** The median of each round. */
async function measureIdleTurns(
  { isQuick, startWorker }: Pick<BenchContext, 'isQuick' | 'startWorker'>,
  databaseUrl: string,
): Promise<number[]> {
  const worker = await startWorker('time-turns');
  const medians: number[] = [];
  for (let round = 0; round < (isQuick ? 3 : 9); round += 1) {
    const { turnMs, slots } = await worker.run({ databaseUrl, turns: isQuick ? 50 : 200 }, turnsSchema);
    verify(slots === 0, `${slots} slots of tasks that were not due`);
    medians.push(quantile(turnMs, 0.5));
  }
  return medians;
}
