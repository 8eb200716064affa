// An agent that does with its orders whatever a test's script tells it to.
import { connect } from 'nats';
import {
  type Heartbeat,
  type Order,
  type OrderReply,
  type Outcome,
  orderSchema,
} from '../../contracts/agent.ts';
import { internalSubjects, orderSubject } from '../../contracts/subjects.ts';

export type ReceivedOrder = {
  order: Order;
  /** Cells of the order. */
  cellCount: number;
  /** Sends one message to whoever sent the order. */
  reply(message: OrderReply | string | Uint8Array): void;
  /** Sends an outcome with one A record for each of these cells. */
  answer(...cells: number[]): void;
};

export type ScriptedAgent = {
  orders: ReceivedOrder[];
  /** Resolves with the nth order, counted from 1. */
  received(count: number): Promise<ReceivedOrder>;
  /** Sends a heartbeat; when it resolves, a gateway hears it before any later request. */
  announce(change?: Partial<Heartbeat>): Promise<void>;
  stop(): Promise<void>;
};

/** What an agent reports of a cell that went well: one A record whose address holds the cell's number. */
export function outcomeOf(cell: number, change: Partial<Outcome> = {}): Outcome {
  return {
    cell,
    status: 'NOERROR',
    delay: 1.25,
    transport: 'udp',
    truncated: false,
    tries: 1,
    flags: ['rd', 'ra'],
    answer: [{ name: 'x.example.', ttl: 60, rdclass: 'IN', rdtype: 'A', result: `192.0.2.${cell % 256}` }],
    authority: [],
    additional: [],
    ...change,
  };
}

/** Connects, announces itself and, unless `script` is missing, takes orders. Repeats its heartbeat every second. */
export async function startScriptedAgent(options: {
  natsUrl: string;
  id: string;
  place?: Partial<Pick<Heartbeat, 'country' | 'province' | 'city' | 'carrier'>>;
  groups?: number[];
  resolvers?: string[];
  script?: (received: ReceivedOrder) => void;
}): Promise<ScriptedAgent> {
  const { natsUrl, id, place = {}, groups = [], resolvers = ['192.0.2.53'], script } = options;
  const connection = await connect({ servers: natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const heartbeat: Heartbeat = {
    agent_id: id,
    country: '86',
    province: '440000',
    city: '440400',
    carrier: '电信',
    ...place,
    groups,
    resolvers,
    load: { running: 0, waiting: 0, capacity: 10 },
    version: '0.0.0',
    session: `session of ${id}`,
    state: 'ready',
  };
  const orders: ReceivedOrder[] = [];
  let waiters: { count: number; resolve: (order: ReceivedOrder) => void }[] = [];

  function publishHeartbeat(change: Partial<Heartbeat> = {}): void {
    connection.publish(internalSubjects.heartbeat, JSON.stringify({ ...heartbeat, ...change }));
  }

  if (script !== undefined) {
    connection.subscribe(orderSubject(id), {
      callback: (_error, message) => {
        const order = orderSchema.parse(message.json());
        const reply: ReceivedOrder['reply'] = (body) =>
          connection.publish(
            message.reply ?? '',
            typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
          );
        const received: ReceivedOrder = {
          order,
          cellCount: order.servers.length * order.targets.length,
          reply,
          answer: (...cells) =>
            reply({
              kind: 'outcomes',
              order_id: order.order_id,
              outcomes: cells.map((cell) => outcomeOf(cell)),
            }),
        };
        orders.push(received);
        script(received);
        for (const { count, resolve } of waiters) if (orders.length >= count) resolve(received);
        waiters = waiters.filter(({ count }) => orders.length < count);
      },
    });
  }
  const timer = setInterval(publishHeartbeat, 1000);
  publishHeartbeat();
  await connection.flush();

  return {
    orders,
    received(count) {
      const there = orders[count - 1];
      if (there !== undefined) return Promise.resolve(there);
      return new Promise((resolve) => waiters.push({ count, resolve }));
    },
    announce(change) {
      publishHeartbeat(change);
      return connection.flush();
    },
    async stop() {
      clearInterval(timer);
      await connection.close();
    },
  };
}
