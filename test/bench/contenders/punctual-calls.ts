// A thousand tasks that are called every second, as a caller stores them: how late their calls are.
import type { Client } from 'pg';
import { z } from 'zod';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';
import { readMetric } from '../../helpers/read-metric.ts';
import { verify } from '../harness/bench.ts';
import { type CallbackSink, callbackBody } from './callback-sink.ts';
import type { CrontabService } from './crontab-service.ts';
import { findCallFaults, type Lateness, type LoggedCall, measureLateness } from './timed-calls.ts';

const taskCount = 1000;
/** Code is compiled while it runs, and connections are made. */
const warmUpMs = 3000;
const lookEveryMs = 200;
/** Beyond the end of the stretch: something hangs. */
const patienceMs = 30_000;
const shownFaults = 5;

export type PunctualCalls = Lateness & {
  /** Of the service, for one call, with all that it does beside. */
  cpuUs: number;
};

/** Throws unless every second of every task was called once. */
export async function measurePunctualCalls(
  { service, addTasks, pauseTasks }: CrontabService,
  sink: CallbackSink,
  client: Client,
  seconds: number,
): Promise<PunctualCalls> {
  const taskIds = await addTasks(
    Array.from({ length: taskCount }, (_, index) => ({
      name: `every second ${index}`,
      enable: 1,
      module: 1,
      type: 2,
      start_time: '* * * * * *',
      url: sink.url,
      method: 'post',
      body: callbackBody,
    })),
  );
  const stretch = { fromMs: Math.ceil((Date.now() + warmUpMs) / 1000) * 1000, seconds };
  const readCpu = () => readMetric(service.metricsUrl, 'process_cpu_seconds_total');

  await waitForSecond(client, stretch.fromMs);
  const cpuBefore = await readCpu();
  await waitForSecond(client, stretch.fromMs + seconds * 1000);
  const cpuSeconds = (await readCpu()) - cpuBefore;
  await pauseTasks(taskIds);
  await waitForRuns(client);

  const { arrivals, strange } = await sink.take();
  verify(strange === 0, `${strange} requests were no callbacks`);
  const book = { log: await readLog(client), arrivals };
  const faults = findCallFaults(taskIds, stretch, book);
  verify(faults.length === 0, `${faults.length} faults: ${faults.slice(0, shownFaults).join('\n')}`);
  return { ...measureLateness(stretch, book), cpuUs: (cpuSeconds * 1e6) / (taskCount * seconds) };
}

/** Until all times before it have been planned and called. */
async function waitForSecond(client: Client, atMs: number): Promise<void> {
  await waitFor(
    client,
    `select (select min(next_at) from crontab_task where next_at < 'infinity') >= to_timestamp($1 / 1000.0::float8)
       and not exists (select from crontab_run where scheduled_at < to_timestamp($1 / 1000.0::float8)) as is_so`,
    [atMs],
    atMs - Date.now() + patienceMs,
  );
}

async function waitForRuns(client: Client): Promise<void> {
  await waitFor(client, 'select not exists (select from crontab_run) as is_so', [], patienceMs);
}

async function waitFor(client: Client, sql: string, values: unknown[], timeoutMs: number): Promise<void> {
  const attempt = async () => {
    const { rows } = await client.query(sql, values);
    return z.object({ is_so: z.boolean().nullable() }).parse(rows[0]).is_so === true ? true : null;
  };
  const isSo = await waitUntil(attempt, { timeoutMs, intervalMs: lookEveryMs });
  verify(isSo !== null, `not so after ${timeoutMs} ms: ${sql}`);
}

const logSchema = z.array(
  z.object({
    taskId: z.string(),
    runId: z.string(),
    try: z.int(),
    runType: z.int(),
    status: z.int(),
    scheduledAt: z.number(),
    beginAt: z.number(),
  }),
) satisfies z.ZodType<LoggedCall[]>;

/** Of all tasks, and all times. */
async function readLog(client: Client): Promise<LoggedCall[]> {
  const { rows } = await client.query(
    `select task_id as "taskId", run_id as "runId", try, run_type as "runType", status,
       (extract(epoch from scheduled_at) * 1000)::float8 as "scheduledAt",
       (extract(epoch from begin_at) * 1000)::float8 as "beginAt"
     from crontab_log`,
  );
  return logSchema.parse(rows);
}
