// The repeated work of a replica, and what its metrics tell of it.
import { setTimeout as pause } from 'node:timers/promises';
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { jobTypes } from '../../../contracts/job.ts';
import type { PathJobType } from '../../../contracts/path-request.ts';
import type { Database } from '../../../infra/database/database.ts';
import { createQueueGauges } from '../../../infra/database/queue-gauges.ts';
import type { JobLane } from '../../../infra/database/tables.ts';
import { type Component, sequence } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { Metrics } from '../../../infra/metrics.ts';
import { createRepetition } from '../../../infra/repeat.ts';
import type { Compute } from '../compute/compute-pool.ts';
import type { ProbeJob } from '../probe/run-probe-job.ts';
import { buryJobs, clearJobs, reapJobs } from './clear-jobs.ts';
import { createJobLane } from './job-lane.ts';
import { type ClaimedJob, createJobStore, type FinishedJob, type JobStore } from './job-store.ts';

const clearMs = 1000;
const upkeepMs = 10 * 60_000;
const storeRetryMs = 1000;

export type JobRuns = Component & {
  /** There are new jobs. */
  wake(lane: JobLane): void;
  /** A job is to be stopped, by its id as a row; one that is worked on elsewhere is found there. */
  cancel(id: string): void;
};

/**
 * Computes and probes, ends what nobody ends, forgets old results, and measures. Every replica does all of it; none of it
 * minds being done twice.
 */
export function createJobRuns(options: {
  database: Database;
  /** For upkeep: one connection, on which a statement may take long. */
  upkeepDatabase: Database;
  compute: Compute;
  /** The same where it harms nobody else. */
  computeApart: Compute;
  probe: ProbeJob;
  isBusConnected: () => boolean;
  /** Names this process in the leases that it holds. */
  replica: string;
  /** Computations at once, and jobs that probe. */
  threads: number;
  probes: number;
  /** For one job. */
  timeoutMs: number;
  retentionHours: number;
  metrics: Metrics;
  logger: Logger;
}): JobRuns {
  const { database, upkeepDatabase, compute, computeApart, probe, metrics, logger } = options;
  const { replica, threads, probes, timeoutMs: limitMs, retentionHours } = options;
  const store = createJobStore(database, replica);
  const ended = metrics.counter('probe_job_ended_total', 'Jobs that have ended', ['type', 'outcome']);
  const duration = metrics.latency('probe_job_seconds', 'From the beginning of a job to its end', ['type']);
  const reaped = metrics.counter('probe_job_leases_reaped_total', 'Leases that ran out');
  const buried = metrics.counter('probe_job_buried_total', 'Jobs that nobody could end');
  const fenced = metrics.counter('probe_job_fenced_total', 'Jobs that ended after another claim');
  // An alarm on the growth of a counter needs to see where it started.
  for (const type of jobTypes) for (const outcome of ['success', 'failure']) ended.inc({ type, outcome }, 0);
  const queue = createQueueGauges({
    prefix: 'probe_job',
    noun: 'job',
    database: upkeepDatabase,
    table: 'job_run',
    metrics,
    logger,
  });
  metrics.gauge('probe_job_held', 'Jobs claimed here and not yet stored', () =>
    lanes.reduce((sum, lane) => sum + lane.held(), 0),
  );

  const shared = {
    store,
    limitMs,
    onFinished({ type, outcome, tookMs }: FinishedJob) {
      ended.inc({ type, outcome: outcome.ok ? 'success' : 'failure' });
      duration.observe({ type }, tookMs / 1000);
    },
    onFenced: (count: number) => fenced.inc(count),
    logger,
  };

  const computing = createJobLane({
    ...shared,
    lane: 0,
    places: threads,
    async work(job, signal) {
      // A worker died while it had this job: perhaps of it.
      const act = job.lapses > 0 ? computeApart : compute;
      return act(pathTypeOf(job), await readRequest(job, store, signal), { signal });
    },
    isAble: () => true,
  });
  const probing = createJobLane({
    ...shared,
    lane: 1,
    places: probes,
    work: async (job, signal) => probe(await readRequest(job, store, signal), signal),
    isAble: options.isBusConnected,
  });
  const lanes = [computing, probing] as const;

  const repetitions = [
    createRepetition({
      name: 'upkeep',
      intervalMs: upkeepMs,
      logger,
      async work() {
        const { cleared, hasMore } = await clearJobs(upkeepDatabase, { retentionHours });
        if (cleared > 0) logger.info({ jobs: cleared }, 'results were kept long enough');
        return { hasMore };
      },
    }),
    queue,
    createRepetition({
      name: 'clearing jobs',
      intervalMs: clearMs,
      logger,
      async work() {
        const lapsed = await reapJobs(database);
        reaped.inc(lapsed);
        if (lapsed > 0) {
          logger.warn({ jobs: lapsed }, 'leases ran out');
          for (const lane of lanes) lane.wake();
        }
        const lost = await buryJobs(database);
        buried.inc(lost);
        if (lost > 0) logger.warn({ jobs: lost }, 'jobs ended that nobody could end');
        return { hasMore: lapsed + lost > 0 };
      },
    }),
    // Both at a time: each has its part of the time that a stop may take.
    { start: computing.start },
    { start: probing.start, stop: async () => void (await Promise.all(lanes.map((lane) => lane.stop()))) },
  ];

  return {
    ...sequence(repetitions),
    wake: (lane) => lanes[lane].wake(),
    cancel(id) {
      for (const lane of lanes) lane.cancel(id);
    },
  };
}

/** Waits for the database where it has to be asked. */
async function readRequest(
  { claim, request, taskId }: ClaimedJob,
  store: Pick<JobStore, 'readRequest'>,
  signal: AbortSignal,
): Promise<Buffer> {
  while (request === undefined) {
    try {
      const found = await store.readRequest(claim.id);
      if (found === undefined) throw new Error(`the request of job ${taskId} is not there any more`);
      return found;
    } catch (error) {
      if (!(error instanceof ProbeTaskError)) throw error;
      await pause(storeRetryMs, undefined, { signal });
    }
  }
  return request;
}

function pathTypeOf({ type, taskId }: ClaimedJob): PathJobType {
  if (type !== 'dns_result') return type;
  throw new Error(`job ${taskId} of type ${type} is in the wrong lane`);
}
