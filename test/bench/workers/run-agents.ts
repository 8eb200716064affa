// Several agents in one process, each wired as its main.ts does it, and how long each takes over its orders.
import { randomUUID } from 'node:crypto';
import type { Bus } from '../../../infra/bus/bus.ts';
import { createBus } from '../../../infra/bus/nats-bus.ts';
import { type Component, sequence } from '../../../infra/lifecycle.ts';
import { createLogger } from '../../../infra/logger.ts';
import { createMetrics } from '../../../infra/metrics.ts';
import { createStallClock } from '../../../infra/stall-clock.ts';
import { version } from '../../../infra/version.ts';
import { createAnnouncer } from '../../../services/agent/announce.ts';
import { createDnsEngine } from '../../../services/agent/dns/engine.ts';
import { createCellRunner } from '../../../services/agent/run-cells.ts';
import { createOrderTaker } from '../../../services/agent/take-orders.ts';
import { type AgentTimes, fleetInputSchema } from '../contenders/agent-fleet.ts';
import { serveWork } from '../harness/serve-work.ts';

/** As the defaults of an agent. */
const concurrency = 1024;
const concurrencyPerServer = 128;
const maxWaitingCells = 50_000;

type OrderTimes = { arrivedAt: number; sentAt: number };
type TimedAgent = { id: string; service: Component; orders: Map<string, OrderTimes> };

const agents: TimedAgent[] = [];

serveWork(
  fleetInputSchema,
  async (input) => {
    if (input.kind === 'take') return agents.map(takeTimes);
    for (const id of input.ids) {
      const agent = createAgent(id, input.natsUrl);
      agents.push(agent);
      await agent.service.start();
    }
    return {};
  },
  async () => {
    for (const { service } of agents) await service.stop();
  },
);

function createAgent(id: string, natsUrl: string): TimedAgent {
  const logger = createLogger('agent', 'warn').child({ agent: id });
  const metrics = createMetrics();
  const bus = createBus({ config: { servers: [natsUrl] }, name: `agent ${id}`, logger });
  const orders = new Map<string, OrderTimes>();
  const stallClock = createStallClock();
  const engine = createDnsEngine({
    stalledMs: stallClock.stalledMs,
    maxInFlight: concurrency,
    maxInFlightPerServer: concurrencyPerServer,
    logger,
  });
  const cells = createCellRunner({ engine, metrics });
  const taker = createOrderTaker({
    agentId: id,
    bus: timeOrders(bus, orders),
    cells,
    stallClock,
    maxWaitingCells,
    metrics,
    logger,
  });
  const announcer = createAnnouncer({
    bus,
    identity: {
      agent_id: id,
      country: '86',
      province: '1',
      city: '2',
      carrier: 'x',
      groups: [],
      resolvers: [],
      version,
      session: randomUUID(),
    },
    readLoad: () => ({
      running: engine.stats().inFlight,
      waiting: engine.stats().waiting,
      capacity: concurrency,
    }),
    isTakingOrders: taker.isTaking,
  });
  const ending = { stop: () => engine.stop() };
  return { id, service: sequence([ending, stallClock, bus, taker, announcer]), orders };
}

/** The same bus, which notes when each order arrived and when the latest outcomes of it were handed over. */
function timeOrders(bus: Bus, orders: Map<string, OrderTimes>): Bus {
  return {
    ...bus,
    subscribe: (subject, onMessage, options) =>
      bus.subscribe(
        subject,
        (message) => {
          const arrivedAt = performance.now();
          if (message.replyTo !== undefined) orders.set(message.replyTo, { arrivedAt, sentAt: arrivedAt });
          onMessage(message);
        },
        options,
      ),
    publish(subject, message) {
      bus.publish(subject, message);
      const order = orders.get(subject);
      if (order !== undefined) order.sentAt = performance.now();
    },
  };
}

/** Of every order since the last time, in the order of their arrival. */
function takeTimes({ id, orders }: TimedAgent): AgentTimes {
  const ordersMs = [...orders.values()].map(({ arrivedAt, sentAt }) => sentAt - arrivedAt);
  orders.clear();
  return { id, ordersMs };
}
