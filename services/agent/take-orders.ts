// Takes the orders of gateways: refuses what is too much, runs the rest, streams the outcomes back.
import { type Order, type OrderReply, orderSchema } from '../../contracts/agent.ts';
import { decodeJson } from '../../contracts/decode.ts';
import { statusLabel } from '../../contracts/dns-rcode.ts';
import { ProbeTaskError } from '../../contracts/errors.ts';
import { orderSubject } from '../../contracts/subjects.ts';
import type { Bus, BusMessage, Subscription } from '../../infra/bus/bus.ts';
import { requestId } from '../../infra/bus/request-id.ts';
import type { Component } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Metrics } from '../../infra/metrics.ts';
import type { DnsEngine } from './dns/engine.ts';
import { runCells } from './run-cells.ts';
import type { StallClock } from './stall-clock.ts';
import { createOutcomeStream } from './stream-outcomes.ts';

/** Longest wait for orders in flight at a stop; what is not done by then stays without a reply. */
const drainLimitMs = 10_000;

export function createOrderTaker(options: {
  agentId: string;
  bus: Bus;
  engine: DnsEngine;
  stallClock: StallClock;
  /** Cells accepted and not yet started, over all orders. */
  maxWaitingCells: number;
  metrics: Metrics;
  logger: Logger;
}): Component & { isTaking(): boolean } {
  const { agentId, bus, engine, stallClock, maxWaitingCells, metrics, logger } = options;
  const orders = metrics.counter('probe_orders_total', 'Orders by what was done with them', ['result']);
  const cells = metrics.counter('probe_cells_total', 'Probed cells by what came of them', ['outcome']);
  const inFlight = new Set<Promise<void>>();
  metrics.gauge('probe_orders_in_flight', 'Orders being worked on', () => inFlight.size);
  let subscription: Subscription | undefined;
  let isTaking = false;

  function take(message: BusMessage): void {
    const order = parseOrder(message);
    const { replyTo } = message;
    if (order === undefined || replyTo === undefined) {
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
    if (engine.stats().waiting + order.servers.length * order.targets.length > maxWaitingCells) {
      orders.inc({ result: 'refused' });
      const refusal: OrderReply = { kind: 'refused', order_id: order.order_id, status: 'AGENT_OVERLOADED' };
      bus.publish(replyTo, { body: Buffer.from(JSON.stringify(refusal)) });
      return;
    }
    orders.inc({ result: 'accepted' });
    logger.debug(
      { request_id: requestId(message), order: order.order_id, budget_ms: budgetMs },
      'order taken',
    );
    const work = run(order, replyTo, performance.now() + budgetMs)
      .catch((error: unknown) => logger.error({ err: error, order: order.order_id }, 'an order failed'))
      .finally(() => inFlight.delete(work));
    inFlight.add(work);
  }

  async function run(order: Order, replyTo: string, deadlineAt: number): Promise<void> {
    const stream = createOutcomeStream(order.order_id, (body) => bus.publish(replyTo, { body }));
    await runCells(engine, order, {
      deadlineAt,
      lane: order.order_id,
      onOutcome(outcome) {
        cells.inc({ outcome: statusLabel(outcome.status) });
        stream.push(outcome);
      },
    });
    stream.end();
  }

  return {
    isTaking: () => isTaking,
    async start() {
      subscription = bus.subscribe(orderSubject(agentId), take);
      await bus.flush();
      isTaking = true;
    },
    async stop() {
      isTaking = false;
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
