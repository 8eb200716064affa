// Jobs that are stored already: how fast the service computes them, each checked; and how fast it takes and tells them.
import { createHash } from 'node:crypto';
import { Client } from 'pg';
import { Agent, request } from 'undici';
import { z } from 'zod';
import type { JobState } from '../../../contracts/job.ts';
import { jobCalls } from '../../../contracts/job-api.ts';
import { waitUntil } from '../../../infra/local-stack/wait-until.ts';
import type { TestService } from '../../helpers/processes.ts';
import { createTinyRequest } from '../../helpers/random-network.ts';
import { type BenchContext, verify } from '../harness/bench.ts';
import { settleDatabase } from './settle-database.ts';

/** Time for the jobs to be written before they are due. */
const leadS = 1;
/** Beyond this something hangs. */
const drainLimitMs = 120_000;
/** What a look at the queue takes is a tenth of a millisecond. */
const lookEveryMs = 5;
/** Requests at once, each on a connection of its own. */
const inFlight = 16;
const type = 'bod_pasta';

export type JobBacklog = {
  readonly service: TestService;
  /** Jobs a second, from the first that begins to the last one's result, of as many that were stored before. */
  drain(count: number): Promise<number>;
  /** Jobs a second, from the first submission over HTTP to the last one's result. */
  submit(count: number): Promise<number>;
  /** Replies a second about the state of a job that has its result. */
  poll(count: number): Promise<number>;
  /** Milliseconds from its submission to its result, which is polled for. */
  run(body: object): Promise<number>;
  /** Replies a second of a call that looks at nothing. */
  askHealth(count: number): Promise<number>;
};

/** On a database of its own. All but `askHealth` throw unless each job has its right result. */
export async function createJobBacklog({ platform, keep, startService }: BenchContext): Promise<JobBacklog> {
  const databaseUrl = keep(await platform.createDatabase()).url;
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  keep({ stop: () => client.end() });
  const service = await startService('job', {
    NATS_URL: await platform.natsUrl(),
    DATABASE_URL: databaseUrl,
  });
  const dispatcher = new Agent({ connections: inFlight });
  keep({ stop: () => dispatcher.close() });
  const tiny = createTinyRequest();

  async function call(path: string, body?: unknown): Promise<unknown> {
    const { statusCode, body: reply } = await request(`${service.url}${path}`, {
      dispatcher,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const data: unknown = await reply.json();
    verify(statusCode === 200, `${path}: ${statusCode} ${JSON.stringify(data)}`);
    return data;
  }

  /** Calls a second. */
  async function rateOf(count: number, work: () => Promise<unknown>): Promise<number> {
    let left = count;
    async function goOn(): Promise<void> {
      while (left > 0) {
        left -= 1;
        await work();
      }
    }
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: inFlight }, goOn));
    return (count * 1000) / (performance.now() - startedAt);
  }

  async function submit(body: object): Promise<string> {
    const reply = jobCalls.submit.reply.parse(await call(jobCalls.submit.path, { type, ...body }));
    return reply.data.task_id;
  }

  async function check(id: string): Promise<JobState> {
    const path = `${jobCalls.checkStatus.path}?task_id=${id}&type=${type}`;
    return jobCalls.checkStatus.reply.parse(await call(path)).data.task_state;
  }

  return {
    service,
    async drain(count) {
      await client.query('truncate job_task, job_run');
      await addJobs(client, tiny, count);
      await settleDatabase(client);
      const endMs = await waitForEnd(client);
      await verifyResults(client, count);
      const { rows } = await client.query(
        'select (extract(epoch from min(started_at)) * 1000)::float8 as "startMs" from job_task',
      );
      return (count * 1000) / (endMs - z.object({ startMs: z.number() }).parse(rows[0]).startMs);
    },
    async submit(count) {
      await client.query('truncate job_task, job_run');
      await settleDatabase(client);
      const startedAt = performance.now();
      await rateOf(count, () => submit(tiny));
      await waitForEnd(client);
      const elapsedMs = performance.now() - startedAt;
      await verifyResults(client, count);
      return (count * 1000) / elapsedMs;
    },
    async poll(count) {
      const id = await submit(tiny);
      await waitForEnd(client);
      return rateOf(count, async () => {
        const state = await check(id);
        verify(state === 'SUCCESS', `the state of a job is ${state}`);
      });
    },
    async run(body) {
      const startedAt = performance.now();
      const id = await submit(body);
      const attempt = async () => {
        const state = await check(id);
        return state === 'PENDING' ? null : state;
      };
      const end = await waitUntil(attempt, { timeoutMs: drainLimitMs, intervalMs: lookEveryMs });
      verify(end === 'SUCCESS', `the state of a job is ${end}`);
      return performance.now() - startedAt;
    },
    askHealth: (count) => rateOf(count, () => call('/healthz')),
  };
}

/** As the API stores them, all due in the same moment. */
async function addJobs(client: Client, tiny: object, count: number): Promise<void> {
  const octets = Buffer.from(JSON.stringify(tiny));
  const hash = createHash('sha256').update(type).update(octets).digest();
  await client.query(
    `with task as (
       insert into job_task (type, request_hash, request)
       select $1, $2, $3 from generate_series(1, $4::integer) returning id
     )
     insert into job_run (id, lane, due_at, expires_at)
     select id, 0, now() + $5 * interval '1 s', now() + interval '1 hour' from task`,
    [type, hash, octets, count, leadS],
  );
}

/** Resolves with the time of the database at which no job was left, or just after. */
async function waitForEnd(client: Client): Promise<number> {
  const end = await waitUntil(
    async () => {
      const { rows } = await client.query(
        `select (extract(epoch from clock_timestamp()) * 1000)::float8 as "nowMs",
           exists (select from job_run) as "isGoingOn"`,
      );
      const { nowMs, isGoingOn } = z.object({ nowMs: z.number(), isGoingOn: z.boolean() }).parse(rows[0]);
      return isGoingOn ? null : nowMs;
    },
    { timeoutMs: drainLimitMs, intervalMs: lookEveryMs },
  );
  verify(end !== null, `jobs are left after ${drainLimitMs / 1000} s`);
  return end;
}

async function verifyResults(client: Client, count: number): Promise<void> {
  const { rows } = await client.query(
    `select count(*)::integer as jobs,
       count(*) filter (
         where state = 'SUCCESS' and convert_from(result, 'UTF8')::jsonb #>> '{data,0,data,paths}' = $1
       )::integer as right
     from job_task`,
    ['[["N0", "N0:1", "N1"]]'],
  );
  const { jobs, right } = z.object({ jobs: z.int(), right: z.int() }).parse(rows[0]);
  verify(
    jobs === count && right === count,
    `of ${count} jobs ${jobs} are stored, ${right} with the right result`,
  );
}
