// The crontab service with few tasks and with many, of which none is due: what a turn takes, and the process by itself.
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from 'pg';
import { z } from 'zod';
import type { TestService } from '../../helpers/processes.ts';
import { readMetric } from '../../helpers/read-metric.ts';
import { type BenchContext, verify } from '../harness/bench.ts';
import { takeTurns } from '../harness/compare.ts';
import { quantile } from '../harness/statistics.ts';
import { startCrontab } from './crontab-service.ts';
import { settleDatabase } from './settle-database.ts';

/** Of a service that has just started. */
const warmUpS = 2;
const turnsSchema = z.object({ turnMs: z.array(z.number()), planned: z.int() });

export type IdleCrontab = {
  databaseUrl: string;
  /** The median of the turns of each round. */
  turnMs: number[];
  /** CPU time of the process in a second, in milliseconds; a value a round. */
  cpuMs: number[];
};

/** A database for each number of tasks. Turns are timed in turn; the processes stand idle at the same time. */
export async function measureIdleCrontabs(
  context: BenchContext,
  taskCounts: readonly number[],
  size: { rounds: number; turns: number; processRounds: number; secondsPerRound: number },
): Promise<IdleCrontab[]> {
  const { platform, keep, startWorker } = context;
  const { rounds, turns, processRounds, secondsPerRound } = size;
  const crontabs: IdleCrontab[] = [];
  for (const count of taskCounts) {
    const databaseUrl = keep(await platform.createDatabase()).url;
    await addWaitingTasks(databaseUrl, count);
    crontabs.push({ databaseUrl, turnMs: [], cpuMs: [] });
  }
  const worker = await startWorker('time-crontab-turns');
  await takeTurns(
    rounds,
    crontabs.map(({ databaseUrl, turnMs }) => async () => {
      const timed = await worker.run({ databaseUrl, turns }, turnsSchema);
      verify(timed.planned === 0, `${timed.planned} times of tasks that were not due`);
      turnMs.push(quantile(timed.turnMs, 0.5));
    }),
  );

  const services: TestService[] = [];
  for (const { databaseUrl } of crontabs) services.push((await startCrontab(context, databaseUrl)).service);
  await pause(warmUpS * 1000);
  let before = await readCpuSeconds(services);
  for (let round = 0; round < processRounds; round += 1) {
    await pause(secondsPerRound * 1000);
    const after = await readCpuSeconds(services);
    crontabs.forEach(({ cpuMs }, index) => {
      const cpuSeconds = (after.cpu[index] ?? Number.NaN) - (before.cpu[index] ?? Number.NaN);
      cpuMs.push((cpuSeconds * 1e6) / (after.atMs - before.atMs));
    });
    before = after;
  }
  return crontabs;
}

async function readCpuSeconds(services: readonly TestService[]): Promise<{ cpu: number[]; atMs: number }> {
  const atMs = performance.now();
  const cpu = await Promise.all(
    services.map(({ metricsUrl }) => readMetric(metricsUrl, 'process_cpu_seconds_total')),
  );
  return { cpu, atMs };
}

/** Enabled tasks whose next time is tomorrow at the earliest, as they are after a while of operation. */
async function addWaitingTasks(databaseUrl: string, count: number): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await client.query(
      `insert into crontab_task (name, enable, module, type, start_time, time_zone, url, method, resp_regexp, body,
         body_type, redo_param, tags, timeout_ms, overlap, misfire, misfire_window, delivery, secret, target, anchor_at,
         next_at)
       select 'waiting ' || task, 1, 1, 2, '@every 48h', 'Asia/Shanghai', 'http://127.0.0.1:9/' || task, 'post', '', '{}',
         1, '', '{}', 10000, 'skip', 'fire', 3600, 'at_least_once', '', 'http://127.0.0.1:9', now(),
         now() + interval '1 day' + task * interval '1 s'
       from generate_series(1, $1::integer) task`,
      [count],
    );
    await settleDatabase(client);
  } finally {
    await client.end();
  }
}
