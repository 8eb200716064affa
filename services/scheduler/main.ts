// The scheduler as a process: reads the environment and wires the parts.
import { z } from 'zod';
import { createBus } from '../../infra/bus/nats-bus.ts';
import {
  busConfig,
  busVariables,
  databaseUrlVariable,
  integerVariable,
  operationVariables,
  readConfig,
  timeZoneVariable,
} from '../../infra/config.ts';
import { createDatabase } from '../../infra/database/database.ts';
import { createOperationServer } from '../../infra/http/operation-server.ts';
import { runProcess, sequence } from '../../infra/lifecycle.ts';
import { createLogger } from '../../infra/logger.ts';
import { createMetrics } from '../../infra/metrics.ts';
import { createScheduler } from './scheduler.ts';

const variables = z.object({
  ...busVariables,
  ...operationVariables,
  DATABASE_URL: databaseUrlVariable,
  SCHEDULER_TIME_ZONE: timeZoneVariable.default('Asia/Shanghai'),
  SCHEDULER_RETENTION_DAYS: integerVariable(1, 3650).default(7),
  SCHEDULER_MAX_CELLS: integerVariable(1, 10_000_000).default(500_000),
  SCHEDULER_DATABASE_CONNECTIONS: integerVariable(1, 100).default(4),
});

/** A turn with a large domain group writes for seconds. */
const holdLimitMs = 60_000;

/** More of them do not plan more on two cores, where this process and the database share them. */
const maxTurnsAtOnce = 2;
/** What measures and clears runs meanwhile. */
const connectionsBeside = 2;

await runProcess(() => {
  const env = readConfig(variables, process.env);
  const logger = createLogger('scheduler', env.LOG_LEVEL);
  const metrics = createMetrics();
  const bus = createBus({ config: busConfig(env), name: 'scheduler', logger });
  const database = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: env.SCHEDULER_DATABASE_CONNECTIONS,
    holdLimitMs,
    logger,
  });
  const scheduler = createScheduler({
    database,
    bus,
    limits: { timeZone: env.SCHEDULER_TIME_ZONE, maxCells: env.SCHEDULER_MAX_CELLS },
    retentionDays: env.SCHEDULER_RETENTION_DAYS,
    turnsAtOnce:
      env.SCHEDULER_DATABASE_CONNECTIONS >= maxTurnsAtOnce + connectionsBeside ? maxTurnsAtOnce : 1,
    metrics,
    logger,
  });
  const operation = createOperationServer({
    host: env.HTTP_HOST,
    port: env.METRICS_PORT,
    metrics,
    checks: {
      database: { isRequired: true, check: database.isReachable },
      scheduling: { isRequired: true, check: scheduler.isScheduling },
      // It only makes agents look sooner.
      bus: { isRequired: false, check: bus.isConnected },
    },
    logger,
  });
  // Waiting for the bus must not keep tasks from being scheduled, so it starts last; it is needed until the others stop.
  const parts = [operation, database, { stop: bus.stop }, scheduler, { start: bus.start }];
  return { service: sequence(parts), logger };
});
