// The gateway as a process: reads the environment and wires the parts.
import { z } from 'zod';
import { gatewayQueue } from '../../contracts/subjects.ts';
import { createBus } from '../../infra/bus/nats-bus.ts';
import { createRpcServer } from '../../infra/bus/serve.ts';
import {
  busConfig,
  busVariables,
  databaseUrlVariable,
  integerVariable,
  operationVariables,
  readConfig,
} from '../../infra/config.ts';
import { createDatabase } from '../../infra/database/database.ts';
import { createOperationServer } from '../../infra/http/operation-server.ts';
import { runProcess, sequence } from '../../infra/lifecycle.ts';
import { createLogger } from '../../infra/logger.ts';
import { createMetrics } from '../../infra/metrics.ts';
import { createStallClock } from '../../infra/stall-clock.ts';
import { version } from '../../infra/version.ts';
import { createAgentDirectory } from './agent-directory.ts';
import { createDefinitionCache } from './definition-cache.ts';
import { createDefinitionStore } from './definition-store.ts';
import { createEndpoints } from './endpoints.ts';
import { createFanOut } from './fan-out.ts';
import { createHistoryPlaces } from './history-places.ts';
import { createResultStore } from './result-store.ts';
import { createProbeRunner } from './run-probe.ts';
import { createSlotStore } from './slot-store.ts';
import { createTaskStore } from './task-store.ts';

const variables = z.object({
  ...busVariables,
  ...operationVariables,
  DATABASE_URL: databaseUrlVariable,
  GATEWAY_MAX_CELLS: integerVariable(1, 1_000_000).default(10_000),
  GATEWAY_MAX_CELLS_IN_FLIGHT: integerVariable(1, 10_000_000).default(200_000),
  GATEWAY_MAX_PROBES: integerVariable(1, 100_000).default(1000),
  GATEWAY_MAX_QUERIES: integerVariable(1, 10_000).default(100),
  GATEWAY_DATABASE_CONNECTIONS: integerVariable(1, 100).default(4),
});

const drainLimitMs = 8000;
/** For a reading of the history that finds all its places taken; callers wait ten seconds. */
const historyWaitMs = 1500;

await runProcess(() => {
  const env = readConfig(variables, process.env);
  const logger = createLogger('gateway', env.LOG_LEVEL);
  const metrics = createMetrics();
  const bus = createBus({ config: busConfig(env), name: 'gateway', logger });
  const database = createDatabase({
    url: env.DATABASE_URL,
    maxConnections: env.GATEWAY_DATABASE_CONNECTIONS,
    logger,
  });
  const store = createDefinitionStore(database);
  const directory = createAgentDirectory({ bus, metrics, logger });
  const fanOut = createFanOut({ bus, metrics });
  const definitions = createDefinitionCache({
    bus,
    readGroupDetails: store.listGroupDetails,
    readLocalDns: store.listLocalDns,
    logger,
  });
  const runner = createProbeRunner({
    directory,
    definitions,
    fanOut,
    metrics,
    maxCells: env.GATEWAY_MAX_CELLS,
    maxCellsInFlight: Math.max(env.GATEWAY_MAX_CELLS, env.GATEWAY_MAX_CELLS_IN_FLIGHT),
  });
  const tasks = createTaskStore(
    database,
    (groupId) => directory.live().some(({ groups }) => groups.includes(groupId)),
    bus.maxPayload,
  );
  const stallClock = createStallClock();
  const server = createRpcServer({
    bus,
    queue: gatewayQueue,
    service: {
      name: 'probe-gateway',
      version,
      description: 'Answers the probe.task.* contract and the subjects that manage it',
    },
    endpoints: createEndpoints({
      runner,
      tasks,
      results: createResultStore(database, bus.maxPayload),
      slots: createSlotStore(database, bus.maxPayload),
      // One connection is left for those that answer in no time.
      historyPlaces: createHistoryPlaces(Math.max(1, env.GATEWAY_DATABASE_CONNECTIONS - 1), historyWaitMs),
      store,
      definitions,
      directory,
      maxProbes: env.GATEWAY_MAX_PROBES,
      maxQueries: env.GATEWAY_MAX_QUERIES,
    }),
    stallClock,
    metrics,
    logger,
  });
  // Requests may be held for a minute; a stop does not take that long.
  const drainLimit = { stop: async () => fanOut.endWithin(drainLimitMs) };
  const operation = createOperationServer({
    host: env.HTTP_HOST,
    port: env.METRICS_PORT,
    metrics,
    checks: {
      bus: { isRequired: true, check: bus.isConnected },
      serving: { isRequired: true, check: server.isServing },
      // One-shot probes work without it.
      database: { isRequired: false, check: database.isReachable },
    },
    logger,
  });
  return {
    service: sequence([
      operation,
      database,
      stallClock,
      bus,
      directory,
      fanOut,
      definitions,
      server,
      drainLimit,
    ]),
    logger,
  };
});
