// Callbacks that are all due in the same moment: how fast they come to entries of the log, one of each, beside bare requests.
import type { Client } from 'pg';
import { z } from 'zod';
import { crontabRunTypes, crontabStatuses } from '../../../contracts/crontab.ts';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';
import { targetOf } from '../../../services/crontab/callback/check-callback.ts';
import { maxConnectionsPerTarget } from '../../../services/crontab/callback/http-call.ts';
import { messageIdOf } from '../../../services/crontab/run/run-store.ts';
import { readMetric } from '../../helpers/read-metric.ts';
import { type BenchContext, verify } from '../harness/bench.ts';
import { type CallbackSink, callbackBody } from './callback-sink.ts';
import type { CrontabService } from './crontab-service.ts';
import { settleDatabase } from './settle-database.ts';

const taskCount = 1000;
/** Time for the runs to be written before they are due. */
const leadMs = 2000;
/** Beyond this something hangs. */
const drainLimitMs = 60_000;
/** What a look at the queue takes is a tenth of a millisecond. */
const lookEveryMs = 5;

export const requestsSchema = z.object({
  url: z.string(),
  count: z.int(),
  /** Requests at once, each on a connection of its own. */
  inFlight: z.int(),
});
const requestedSchema = z.object({
  elapsedMs: z.number(),
  /** Replies that were what they are to be. */
  right: z.int(),
  cpuMs: z.number(),
});

export type CallRate = {
  perSecond: number;
  /** CPU time of the process that calls, for one call, in microseconds. */
  cpuUs: number;
  /** How busy the sink was meanwhile, in percent of one core. */
  sinkLoad: number;
};

export type CallbackBacklog = {
  /** By the service, from the moment all are due to the last one that is in the log. */
  drain(count: number): Promise<CallRate>;
  /** As many bare requests, from the first to the reply of the last. */
  request(count: number): Promise<CallRate>;
};

/** Both throw unless the sink got each of them once. */
export async function createCallbackBacklog(
  { startWorker }: Pick<BenchContext, 'startWorker'>,
  { service, addTasks }: CrontabService,
  sink: CallbackSink,
  client: Client,
): Promise<CallbackBacklog> {
  const taskIds = await addTasks(
    Array.from({ length: taskCount }, (_, index) => ({
      name: `on demand ${index}`,
      enable: 2,
      module: 1,
      type: 2,
      start_time: '@daily',
      url: sink.url,
      method: 'post',
      body: callbackBody,
    })),
  );
  const target = targetOf({ method: 'post', url: sink.url });
  const bare = await startWorker('request-callbacks');

  const readCpu = () => readMetric(service.metricsUrl, 'process_cpu_seconds_total');

  /** Looks at what the sink got. */
  async function rateOf(calls: { count: number; elapsedMs: number; cpuMs: number }, ids?: Set<string>) {
    const { count, elapsedMs, cpuMs } = calls;
    const taken = await sink.take();
    const arrived = new Set(taken.arrivals.map(({ id }) => id));
    const requests = taken.arrivals.length + taken.strange;
    const isRight = arrived.size === count && requests === count;
    verify(isRight, `of ${count} callbacks ${arrived.size} arrived, by ${requests} requests`);
    const strangers = ids === undefined ? 0 : [...arrived].filter((id) => !ids.has(id)).length;
    verify(strangers === 0, `${strangers} callbacks arrived that are not in the log`);
    return {
      perSecond: (count * 1000) / elapsedMs,
      cpuUs: (cpuMs * 1000) / count,
      sinkLoad: (taken.cpuMs * 100) / elapsedMs,
    };
  }

  return {
    async drain(count) {
      await client.query('truncate crontab_log');
      await settleDatabase(client);
      const cpuBefore = await readCpu();
      await sink.take();
      const dueMs = Math.ceil(await readClock(client)) + leadMs;
      await addRuns(client, { taskIds, target, dueMs, count });
      verify((await readClock(client)) < dueMs, 'the runs were written too late');
      const endMs = await waitForEnd(client);
      const cpuMs = ((await readCpu()) - cpuBefore) * 1000;
      return rateOf({ count, elapsedMs: endMs - dueMs, cpuMs }, await readCalledIds(client, count));
    },
    async request(count) {
      await sink.take();
      const input = { url: sink.url, count, inFlight: maxConnectionsPerTarget };
      const { elapsedMs, right, cpuMs } = await bare.run(
        input satisfies z.input<typeof requestsSchema>,
        requestedSchema,
      );
      verify(right === count, `${right} right replies of ${count}`);
      return rateOf({ count, elapsedMs, cpuMs });
    },
  };
}

async function readClock(client: Client): Promise<number> {
  const { rows } = await client.query(
    'select (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs"',
  );
  return z.object({ nowMs: z.number() }).parse(rows[0]).nowMs;
}

/** Reruns, the tasks in turn, all due in the same moment: some are claimed ahead of it, as all that is not late. */
async function addRuns(
  client: Client,
  backlog: { taskIds: string[]; target: string; dueMs: number; count: number },
): Promise<void> {
  const { taskIds, target, dueMs, count } = backlog;
  await client.query(
    `insert into crontab_run (task_id, scheduled_at, run_type, target, due_at, expires_at)
     select ($1::bigint[])[1 + run % cardinality($1::bigint[])], due_at - run * interval '1 ms', $2, $3,
       due_at, due_at + interval '1 hour'
     from to_timestamp($4::float8 / 1000) due_at, generate_series(1, $5::integer) run`,
    [taskIds, crontabRunTypes.rerun, target, dueMs, count],
  );
}

/** Resolves with the time of the database at which no run was left, or just after. */
async function waitForEnd(client: Client): Promise<number> {
  const end = await waitUntil(
    async () => {
      // The last one is claimed last: it is there until all but the last few are done.
      const { rows } = await client.query('select from crontab_run order by id desc limit 1');
      return rows.length === 0 ? await readClock(client) : null;
    },
    { timeoutMs: drainLimitMs, intervalMs: lookEveryMs },
  );
  verify(end !== null, `runs are left after ${drainLimitMs / 1000} s`);
  return end;
}

/** As the sink knows them; throws unless each of the runs has its one entry, and succeeded. */
async function readCalledIds(client: Client, count: number): Promise<Set<string>> {
  const { rows } = await client.query('select run_id as "runId", status from crontab_log');
  const log = z.array(z.object({ runId: z.string(), status: z.int() })).parse(rows);
  const succeeded = log.filter(({ status }) => status === crontabStatuses.succeeded);
  const ids = new Set(succeeded.map(({ runId }) => messageIdOf(runId)));
  verify(
    log.length === count && ids.size === count,
    `of ${count} runs ${log.length} entries, ${ids.size} of them of different runs that succeeded`,
  );
  return ids;
}
