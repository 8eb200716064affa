// The job service as a process: reads the environment and wires the parts.
import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { jobCalls } from '../../contracts/job-api.ts';
import { createJobDocument } from '../../contracts/job-openapi.ts';
import { createBus } from '../../infra/bus/nats-bus.ts';
import { createProbeClient } from '../../infra/bus/probe-client.ts';
import {
  apiKeysVariable,
  busConfig,
  busVariables,
  databaseUrlVariable,
  integerVariable,
  operationVariables,
  readConfig,
} from '../../infra/config.ts';
import { createDatabase } from '../../infra/database/database.ts';
import { registerApiPage } from '../../infra/http/api-page.ts';
import { createHttpService } from '../../infra/http/http-service.ts';
import { registerCalls } from '../../infra/http/register-calls.ts';
import { runProcess, sequence } from '../../infra/lifecycle.ts';
import { createLogger } from '../../infra/logger.ts';
import { createMetrics } from '../../infra/metrics.ts';
import { formatJobError } from './api/format-error.ts';
import { createJobHandlers } from './api/handlers.ts';
import { createApartComputing } from './compute/compute-apart.ts';
import { createComputePool, minMemoryMb } from './compute/compute-pool.ts';
import { createProbeJob } from './probe/run-probe-job.ts';
import { createJobRuns } from './run/job-runs.ts';

const variables = z.object({
  ...busVariables,
  ...operationVariables,
  DATABASE_URL: databaseUrlVariable,
  JOB_PORT: integerVariable(0, 65535).default(6559),
  JOB_API_KEYS: apiKeysVariable,
  JOB_THREADS: integerVariable(1, 256).default(availableParallelism()),
  JOB_MEMORY_MB: integerVariable(minMemoryMb, 1_000_000).default(1024),
  JOB_TIMEOUT: integerVariable(1, 86_400).default(600),
  JOB_QUEUE_TIMEOUT: integerVariable(1, 604_800).default(86_400),
  JOB_RETENTION_HOURS: integerVariable(1, 87_600).default(72),
  JOB_PROBES: integerVariable(1, 100).default(4),
  JOB_DATABASE_CONNECTIONS: integerVariable(2, 100).default(4),
});

/** A network of ten thousand links, with room. */
const bodyLimit = 16 * 1024 * 1024;
/** Of all requests in hand. */
const maxBodyOctets = 8 * bodyLimit;
/** Of the API, besides those of the jobs. */
const apiConnections = 3;
/** Of requests in hand at a stop. */
const stopMs = 2000;
/** A result of megabytes may take long on its way. */
const storeHoldLimitMs = 30_000;
/** Longer than its statements may take. */
const upkeepHoldLimitMs = 60_000;

await runProcess(() => {
  const env = readConfig(variables, process.env);
  const logger = createLogger('job', env.LOG_LEVEL);
  const metrics = createMetrics();
  const bus = createBus({ config: busConfig(env), name: 'job', logger });
  const database = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: env.JOB_DATABASE_CONNECTIONS,
    holdLimitMs: storeHoldLimitMs,
    logger,
  });
  // Its own, so that large submissions and results do not keep leases from being renewed.
  const apiDatabase = createDatabase({ url: env.DATABASE_URL, maxConnections: apiConnections, logger });
  const upkeepDatabase = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: 1,
    holdLimitMs: upkeepHoldLimitMs,
    logger,
  });
  const pool = createComputePool({ threads: env.JOB_THREADS, memoryMb: env.JOB_MEMORY_MB, logger });
  const runs = createJobRuns({
    database,
    upkeepDatabase,
    compute: pool.compute,
    computeApart: createApartComputing({ memoryMb: env.JOB_MEMORY_MB, logger }),
    probe: createProbeJob({ client: createProbeClient(bus) }),
    isBusConnected: bus.isConnected,
    replica: randomUUID(),
    threads: env.JOB_THREADS,
    probes: env.JOB_PROBES,
    timeoutMs: env.JOB_TIMEOUT * 1000,
    retentionHours: env.JOB_RETENTION_HOURS,
    metrics,
    logger,
  });
  const checks = {
    database: { isRequired: true, check: database.isReachable },
    // Only jobs of type dns_result need it.
    bus: { isRequired: false, check: bus.isConnected },
  };
  const { api, operation } = createHttpService({
    host: env.HTTP_HOST,
    metricsPort: env.METRICS_PORT,
    port: env.JOB_PORT,
    portVariable: 'JOB_PORT',
    apiKeys: env.JOB_API_KEYS,
    bodyLimit,
    maxBodyOctets,
    formatError: formatJobError,
    register(app) {
      const handlers = createJobHandlers({
        database: apiDatabase,
        checkRequest: pool.check,
        onJobAdded: runs.wake,
        onStopWanted: runs.cancel,
        limits: { queueTimeoutMs: env.JOB_QUEUE_TIMEOUT * 1000 },
        logger,
      });
      registerCalls(app, jobCalls, handlers, logger);
    },
    registerOpen: (app) => registerApiPage(app, createJobDocument()),
    checks,
    timeLimits: { stopMs },
    metrics,
    logger,
  });
  // Waiting for the bus must not keep the others from starting; probes need it until they have ended.
  const parts = [
    operation,
    database,
    apiDatabase,
    upkeepDatabase,
    { stop: bus.stop },
    pool,
    runs,
    api,
    { start: bus.start },
  ];
  return { service: sequence(parts), logger };
});
