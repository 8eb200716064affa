// Takes the orders of gateways: refuses what is too much, runs the rest, streams the outcomes back.
import { type Order, type OrderReply, orderSchema } from '../../contracts/agent.ts';
import { decodeJson } from '../../contracts/decode.ts';
import { ProbeTaskError } from '../../contracts/errors.ts';
import { isReplySubject, orderSubject } from '../../contracts/subjects.ts';
import type { Bus, BusMessage, Subscription } from '../../infra/bus/bus.ts';
import { requestId } from '../../infra/bus/request-id.ts';
import type { Component } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Metrics } from '../../infra/metrics.ts';
import type { StallClock } from '../../infra/stall-clock.ts';
import type { CellRunner } from './run-cells.ts';
import { createOutcomeStream } from './stream-outcomes.ts';

/** Longest wait for orders in flight at a stop; what is not done by then stays without a reply. */
const drainLimitMs = 10_000;

/**
 * Takes orders from `start` on. `stop` takes no further ones and waits for those in flight, ten seconds at most.
 */
export function createOrderTaker(options: {
  agentId: string;
  bus: Bus;
  cells: CellRunner;
  stallClock: StallClock;
  /** Cells accepted and not yet started, over all orders. */
  maxWaitingCells: number;
  metrics: Metrics;
  logger: Logger;
}): Component & { isTaking(): boolean } {
  const { agentId, bus, cells, stallClock, maxWaitingCells, metrics, logger } = options;
  const orders = metrics.counter('probe_orders_total', 'Orders by what was done with them', ['result']);
  const inFlight = new Set<Promise<void>>();
  metrics.gauge('probe_orders_in_flight', 'Orders being worked on', () => inFlight.size);
  let subscription: Subscription | undefined;
  let state: 'idle' | 'taking' | 'stopped' = 'idle';

  function take(message: BusMessage): void {
    const order = parseOrder(message);
    const { replyTo } = message;
    if (order === undefined || replyTo === undefined || !isReplySubject(replyTo)) {
      orders.inc({ result: 'invalid' });
      logger.warn({ reply_to: replyTo }, 'an order that cannot be understood');
      return;
    }
    const budgetMs = order.budget_ms - stallClock.stalledMs();
    if (budgetMs <= 0) {
      // Whoever sent it has given up by now.
      orders.inc({ result: 'stale' });
      return;
    }
    if (cells.waiting() + order.servers.length * order.targets.length > maxWaitingCells) {
      orders.inc({ result: 'refused' });
      const refusal: OrderReply = { kind: 'refused', order_id: order.order_id, status: 'AGENT_OVERLOADED' };
      bus.publish(replyTo, { body: Buffer.from(JSON.stringify(refusal)) });
      return;
    }
    orders.inc({ result: 'accepted' });
    // Finding the request's id takes longer than taking the order.
    if (logger.isLevelEnabled('debug')) {
      logger.debug(
        { request_id: requestId(message), order: order.order_id, budget_ms: budgetMs },
        'order taken',
      );
    }
    const work = run(order, replyTo, performance.now() + budgetMs)
      .catch((error: unknown) => logger.error({ err: error, order: order.order_id }, 'an order failed'))
      .finally(() => inFlight.delete(work));
    inFlight.add(work);
  }

  async function run(order: Order, replyTo: string, deadlineAt: number): Promise<void> {
    const stream = createOutcomeStream(order.order_id, bus.maxPayload(), (body) => {
      // Called by a timer as well, where an exception would end the process.
      try {
        bus.publish(replyTo, { body });
      } catch (error) {
        logger.error({ err: error, order: order.order_id }, 'outcomes could not be sent');
      }
    });
    await cells.run(order, { deadlineAt, lane: order.order_id, onOutcome: stream.push });
    stream.end();
  }

  return {
    isTaking: () => state === 'taking' && subscription?.isOpen() === true,
    async start() {
      subscription = bus.subscribe(orderSubject(agentId), take);
      await bus.flush();
      if (state === 'idle') state = 'taking';
    },
    async stop() {
      state = 'stopped';
      await subscription?.drain();
      const { promise: limit, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, drainLimitMs);
      await Promise.race([Promise.all(inFlight), limit]);
      clearTimeout(timer);
      if (inFlight.size > 0) logger.warn({ orders: inFlight.size }, 'orders are left without a reply');
    },
  };
}

function parseOrder({ body }: BusMessage): Order | undefined {
  try {
    return orderSchema.safeParse(decodeJson(body)).data;
  } catch (error) {
    if (error instanceof ProbeTaskError) return undefined;
    throw error;
  }
}
