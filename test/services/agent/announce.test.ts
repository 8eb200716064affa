// An agent whose login does not let it hear its orders.
import { randomUUID } from 'node:crypto';
import { connect } from 'nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { heartbeatSchema } from '../../../contracts/agent.ts';
import { internalSubjects } from '../../../contracts/subjects.ts';
import { createBus } from '../../../infra/bus/nats-bus.ts';
import { createLogger } from '../../../infra/logger.ts';
import { createMetrics } from '../../../infra/metrics.ts';
import { createStallClock } from '../../../infra/stall-clock.ts';
import { createAnnouncer } from '../../../services/agent/announce.ts';
import { createDnsEngine } from '../../../services/agent/dns/engine.ts';
import { createCellRunner } from '../../../services/agent/run-cells.ts';
import { createOrderTaker } from '../../../services/agent/take-orders.ts';
import { keepUntilTestEnd } from '../../helpers/cleanup.ts';
import { startNatsServer } from '../../helpers/nats.ts';

describe('a login that does not let the agent hear its orders', () => {
  test('keeps it from being ready and from announcing itself', async () => {
    const strict = keepUntilTestEnd(
      await startNatsServer({
        extraConfig: `authorization { users: [
          { user: listener, password: listener }
          { user: agent, password: agent, permissions: { publish: ["probe.agent.heartbeat"], subscribe: ["probe.agent.discover"] } }
        ] }`,
      }),
    );
    const listener = await connect({ servers: strict.url, user: 'listener', pass: 'listener' });
    onTestFinished(() => listener.close());
    const logger = createLogger('test', 'silent');
    const agentBus = keepUntilTestEnd(
      createBus({
        config: { servers: [strict.url], user: 'agent', password: 'agent' },
        name: 'agent',
        logger,
      }),
    );
    await agentBus.start();
    const states: string[] = [];
    listener.subscribe(internalSubjects.heartbeat, {
      callback: (_error, message) => states.push(heartbeatSchema.parse(message.json()).state),
    });
    await listener.flush();
    const metrics = createMetrics();
    const stallClock = keepUntilTestEnd(createStallClock());
    const engine = keepUntilTestEnd(createDnsEngine({ logger }));
    const orders = keepUntilTestEnd(
      createOrderTaker({
        ...{ agentId: 'one', bus: agentBus, stallClock, maxWaitingCells: 1, metrics, logger },
        cells: createCellRunner({ engine, metrics }),
      }),
    );
    await orders.start();
    expect(orders.isTaking()).toBe(false);
    const announcer = keepUntilTestEnd(
      createAnnouncer({
        bus: agentBus,
        identity: {
          ...{ agent_id: 'one', country: '86', province: '1', city: '1', carrier: '电信', groups: [] },
          ...{ resolvers: [], version: '1', session: randomUUID() },
        },
        readLoad: () => ({ running: 0, waiting: 0, capacity: 1 }),
        isTakingOrders: orders.isTaking,
      }),
    );
    await announcer.start();
    await announcer.stop();
    await agentBus.flush();
    await listener.flush();
    expect(states).toEqual(['draining']);
  });
});
