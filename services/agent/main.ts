// A probe agent as a process: reads the environment and wires the parts.
import { randomUUID } from 'node:crypto';
import { getServers } from 'node:dns';
import { z } from 'zod';
import { agentIdSchema } from '../../contracts/agent.ts';
import { parseDnsServer } from '../../contracts/dns-server.ts';
import { dnsServerSchema } from '../../contracts/probe.ts';
import { integerIdSchema } from '../../contracts/task.ts';
import { textSchema } from '../../contracts/text.ts';
import { createBus } from '../../infra/bus/nats-bus.ts';
import {
  busConfig,
  busVariables,
  databaseUrlVariable,
  integerVariable,
  listVariable,
  operationVariables,
  readConfig,
} from '../../infra/config.ts';
import { createDatabase } from '../../infra/database/database.ts';
import { createOperationServer } from '../../infra/http/operation-server.ts';
import { runProcess, type Stoppable, sequence } from '../../infra/lifecycle.ts';
import { createLogger } from '../../infra/logger.ts';
import { createMetrics } from '../../infra/metrics.ts';
import { createStallClock } from '../../infra/stall-clock.ts';
import { version } from '../../infra/version.ts';
import { createAnnouncer } from './announce.ts';
import { createDnsEngine } from './dns/engine.ts';
import { recurringLane } from './recurring/held-runs.ts';
import { listenForWake } from './recurring/listen-for-wake.ts';
import { createRecurringRuns } from './recurring/recurring-runs.ts';
import { createRunStore } from './recurring/run-store.ts';
import { createCellRunner } from './run-cells.ts';
import { createOrderTaker } from './take-orders.ts';

const placeId = textSchema(64).refine((id) => !['*', '0'].includes(id), {
  error: 'a wildcard is not a place',
});

const variables = z.object({
  ...busVariables,
  ...operationVariables,
  /** Without it the agent takes one-shot orders only. */
  DATABASE_URL: databaseUrlVariable.optional(),
  AGENT_ID: agentIdSchema,
  AGENT_COUNTRY: placeId,
  AGENT_PROVINCE: placeId,
  AGENT_CITY: placeId,
  AGENT_CARRIER: placeId,
  AGENT_GROUPS: listVariable(
    z
      .string()
      .regex(/^\d{1,10}$/, 'expected group ids')
      .transform(Number)
      .pipe(integerIdSchema),
  ).default([]),
  AGENT_RESOLVERS: listVariable(dnsServerSchema).optional(),
  AGENT_CONCURRENCY: integerVariable(1, 100_000).default(1024),
  AGENT_CONCURRENCY_PER_SERVER: integerVariable(1, 100_000).default(128),
  AGENT_MAX_WAITING: integerVariable(1, 10_000_000).default(50_000),
});

/** Thousands of agents share one database. */
const maxConnections = 2;
/** Below what is left of a stop for handing back runs. */
const holdLimitMs = 5000;
/** From another continent, with TLS. */
const connectTimeoutMs = 8000;
/** Places of the engine that recurring runs may have: a one-shot order finds some, whatever servers the runs wait for. */
const recurringShare = 0.75;

const engineTotals = [
  ['sent', 'Queries sent'],
  ['malformed', 'Replies that were malformed'],
  ['mismatched', 'Packets that answer no question of ours'],
  ['late', 'Replies that came after their query ended'],
  ['duplicate', 'Replies to a query that was answered already'],
] as const;

await runProcess(() => {
  const env = readConfig(variables, process.env);
  const logger = createLogger('agent', env.LOG_LEVEL).child({ agent: env.AGENT_ID });
  const metrics = createMetrics();
  const bus = createBus({ config: busConfig(env), name: `agent ${env.AGENT_ID}`, logger });
  const stallClock = createStallClock();
  const engine = createDnsEngine({
    stalledMs: stallClock.stalledMs,
    maxInFlight: env.AGENT_CONCURRENCY,
    maxInFlightPerServer: env.AGENT_CONCURRENCY_PER_SERVER,
    laneShares: new Map([[recurringLane, recurringShare]]),
    logger,
  });
  metrics.gauge('probe_dns_in_flight', 'Queries being asked', () => engine.stats().inFlight);
  metrics.gauge('probe_dns_waiting', 'Queries waiting for a free place', () => engine.stats().waiting);
  for (const [name, help] of engineTotals) {
    metrics.total(`probe_dns_${name}_total`, help, () => engine.stats()[name]);
  }
  metrics.gauge(
    'probe_dns_receive_buffer_bytes',
    'Receive buffer granted to a UDP socket',
    () => engine.stats().receiveBufferBytes ?? 0,
  );
  const cells = createCellRunner({ engine, metrics });
  const orders = createOrderTaker({
    agentId: env.AGENT_ID,
    bus,
    cells,
    stallClock,
    maxWaitingCells: env.AGENT_MAX_WAITING,
    metrics,
    logger,
  });
  const identity = {
    agent_id: env.AGENT_ID,
    country: env.AGENT_COUNTRY,
    province: env.AGENT_PROVINCE,
    city: env.AGENT_CITY,
    carrier: env.AGENT_CARRIER,
    groups: env.AGENT_GROUPS,
    resolvers: env.AGENT_RESOLVERS ?? systemResolvers(),
    version,
    session: randomUUID(),
  };
  const database =
    env.DATABASE_URL === undefined
      ? undefined
      : createDatabase({ url: env.DATABASE_URL, maxConnections, holdLimitMs, connectTimeoutMs, logger });
  const recurring =
    database &&
    createRecurringRuns({
      store: createRunStore(database, identity),
      cells,
      concurrency: env.AGENT_CONCURRENCY,
      metrics,
      logger,
    });
  const announcer = createAnnouncer({
    bus,
    identity,
    readLoad: () => ({
      running: engine.stats().inFlight,
      waiting: engine.stats().waiting,
      capacity: env.AGENT_CONCURRENCY,
    }),
    isTakingOrders: orders.isTaking,
  });
  const operation = createOperationServer({
    host: env.HTTP_HOST,
    port: env.METRICS_PORT,
    metrics,
    checks: {
      bus: { isRequired: true, check: bus.isConnected },
      orders: { isRequired: true, check: orders.isTaking },
      // One-shot orders work without it.
      ...(database && { database: { isRequired: false, check: database.isReachable } }),
    },
    logger,
  });
  const parts = [
    operation,
    engine,
    stallClock,
    // Recurring runs do not wait for the bus.
    ...(database && recurring ? [database, { start: recurring.start }] : []),
    bus,
    { start: orders.start },
    ...(recurring ? [listenForWake(bus, env.AGENT_ID, recurring.wake)] : []),
    { stop: () => stopTogether(recurring ? [orders, recurring] : [orders]) },
    announcer,
  ];
  return { service: sequence(parts), logger };
});

/** One after the other would take longer than a process has for its stop. */
async function stopTogether(parts: Stoppable[]): Promise<void> {
  const stops = await Promise.allSettled(parts.map((part) => part.stop()));
  const faults = stops.flatMap((stop) => (stop.status === 'rejected' ? [stop.reason] : []));
  if (faults.length > 0) throw new AggregateError(faults, 'stopping failed');
}

/** What the machine itself asks; entries with a zone (`fe80::1%eth0`) cannot be told to others and are left out. */
function systemResolvers(): string[] {
  return getServers().filter((server) => parseDnsServer(server).ok);
}
