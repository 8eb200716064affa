// The crontab service as a process: reads the environment and wires the parts.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { crontabSecretSchema } from '../../contracts/crontab.ts';
import { crontabCalls } from '../../contracts/crontab-api.ts';
import { createCrontabDocument } from '../../contracts/crontab-openapi.ts';
import { createBus } from '../../infra/bus/nats-bus.ts';
import {
  apiKeysVariable,
  busConfig,
  busVariables,
  databaseUrlVariable,
  integerVariable,
  listVariable,
  operationVariables,
  readConfig,
  timeZoneVariable,
} from '../../infra/config.ts';
import { createDatabase } from '../../infra/database/database.ts';
import { registerApiPage } from '../../infra/http/api-page.ts';
import { createHttpService } from '../../infra/http/http-service.ts';
import { registerCalls } from '../../infra/http/register-calls.ts';
import { runProcess, sequence } from '../../infra/lifecycle.ts';
import { createLogger } from '../../infra/logger.ts';
import { createMetrics } from '../../infra/metrics.ts';
import { cidrSchema, createNetworkPolicy } from '../../infra/network/network-policy.ts';
import { formatCrontabError } from './api/format-error.ts';
import { createCrontabHandlers } from './api/handlers.ts';
import { createCaller } from './callback/caller.ts';
import { createCrontabRuns } from './run/crontab-runs.ts';

const variables = z.object({
  ...busVariables,
  ...operationVariables,
  DATABASE_URL: databaseUrlVariable,
  CRONTAB_PORT: integerVariable(0, 65535).default(6557),
  CRONTAB_API_KEYS: apiKeysVariable,
  CRONTAB_TIME_ZONE: timeZoneVariable.default('Asia/Shanghai'),
  CRONTAB_RETENTION_DAYS: integerVariable(1, 3650).default(15),
  CRONTAB_CONCURRENCY: integerVariable(1, 100_000).default(2000),
  CRONTAB_ALLOW_NETWORKS: listVariable(cidrSchema).default([]),
  CRONTAB_DENY_NETWORKS: listVariable(cidrSchema).default([]),
  CRONTAB_SIGNING_SECRET: crontabSecretSchema.optional(),
  CRONTAB_DATABASE_CONNECTIONS: integerVariable(2, 100).default(4),
});

/** Ten thousand tasks with bodies of a kilobyte. */
const bodyLimit = 16 * 1024 * 1024;
/** Of the API, besides those of the runs. */
const apiConnections = 3;
/** Of requests in hand at a stop: calls under way want the rest of it. */
const stopMs = 2000;
/** Longer than its statements may take. */
const upkeepHoldLimitMs = 60_000;

await runProcess(() => {
  const env = readConfig(variables, process.env);
  const logger = createLogger('crontab', env.LOG_LEVEL);
  const metrics = createMetrics();
  const bus = createBus({ config: busConfig(env), name: 'crontab', logger });
  const database = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: env.CRONTAB_DATABASE_CONNECTIONS,
    logger,
  });
  const upkeepDatabase = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: 1,
    holdLimitMs: upkeepHoldLimitMs,
    logger,
  });
  // Its own, so that long lists and large batches do not keep runs from being claimed.
  const apiDatabase = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: apiConnections,
    logger,
  });
  const networks = createNetworkPolicy({
    allow: env.CRONTAB_ALLOW_NETWORKS,
    deny: env.CRONTAB_DENY_NETWORKS,
  });
  const caller = createCaller({ bus, networks, defaultSecret: env.CRONTAB_SIGNING_SECRET, logger });
  const runs = createCrontabRuns({
    database,
    upkeepDatabase,
    caller,
    replica: randomUUID(),
    concurrency: env.CRONTAB_CONCURRENCY,
    retentionDays: env.CRONTAB_RETENTION_DAYS,
    metrics,
    logger,
  });
  const checks = {
    database: { isRequired: true, check: database.isReachable },
    scheduling: { isRequired: true, check: runs.isScheduling },
    // Only tasks of method nats need it.
    bus: { isRequired: false, check: bus.isConnected },
  };
  const { api, operation } = createHttpService({
    host: env.HTTP_HOST,
    metricsPort: env.METRICS_PORT,
    port: env.CRONTAB_PORT,
    portVariable: 'CRONTAB_PORT',
    apiKeys: env.CRONTAB_API_KEYS,
    bodyLimit,
    formatError: formatCrontabError,
    register(app) {
      const handlers = createCrontabHandlers({
        database: apiDatabase,
        networks,
        timeZone: env.CRONTAB_TIME_ZONE,
        onRunsAdded: runs.wake,
        logger,
      });
      registerCalls(app, crontabCalls, handlers, logger);
    },
    registerOpen: (app) => registerApiPage(app, createCrontabDocument()),
    checks,
    timeLimits: { stopMs },
    metrics,
    logger,
  });
  // Waiting for the bus must not keep the others from starting; calls need it until they have ended.
  const parts = [
    operation,
    database,
    apiDatabase,
    { stop: bus.stop },
    caller,
    runs,
    api,
    { start: bus.start },
  ];
  return { service: sequence(parts), logger };
});
