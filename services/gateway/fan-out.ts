// Sends one order to every agent of a plan and gathers their outcomes until all are in or the time is up.
import { randomUUID } from 'node:crypto';
import { headers, orderSubject } from '../../contracts/subjects.ts';
import type { Bus, BusMessage, Subscription } from '../../infra/bus/bus.ts';
import type { Component } from '../../infra/lifecycle.ts';
import type { Metrics } from '../../infra/metrics.ts';
import { createGather, type Gather, type Gathered } from './gather.ts';
import type { Plan, PlannedOrder } from './plan-probe.ts';

export type FanOut = Component & {
  /**
   * Resolves when every cell has an outcome, or at `gatherUntil` (`performance.now()`), whichever is first. A budget
   * below 1 ms asks nobody.
   */
  probe(
    plan: Plan,
    options: { gatherUntil: number; agentBudgetMs: number; requestId: string },
  ): Promise<Gathered>;
  /** All gathers end within this time, with what they have: the process is about to stop. */
  endWithin(limitMs: number): void;
};

/** Holds the subscription that all gathers of this process share. */
export function createFanOut(options: { bus: Bus; metrics: Metrics }): FanOut {
  const { bus, metrics } = options;
  const dropped = metrics.counter('probe_agent_replies_dropped_total', 'Outcomes thrown away', ['reason']);
  // One subscription for all gathers. Each order has a reply subject of its own that only the agent asked learns, so
  // that no agent can answer for another.
  const replyPrefix = `${bus.inboxPrefix}.order.`;
  const awaited = new Map<string, { gather: Gather; orderIndex: number }>();
  const running = new Set<() => void>();
  let subscription: Subscription | undefined;
  let endTimer: NodeJS.Timeout | undefined;

  function take({ subject, body, isNoResponders }: BusMessage): void {
    const waiting = awaited.get(subject.slice(replyPrefix.length));
    if (waiting === undefined) dropped.inc({ reason: 'late' });
    else if (isNoResponders) waiting.gather.giveUp(waiting.orderIndex);
    else waiting.gather.take(waiting.orderIndex, body);
  }

  function send(
    { agent, servers, targets }: PlannedOrder,
    orderId: string,
    budgetMs: number,
    requestId: string,
  ): void {
    const order = { order_id: orderId, budget_ms: budgetMs, servers, targets };
    bus.publish(orderSubject(agent.agent_id), {
      body: Buffer.from(JSON.stringify(order)),
      replyTo: replyPrefix + orderId,
      headers: { [headers.messageId]: requestId },
    });
  }

  return {
    async probe(plan, { gatherUntil, agentBudgetMs, requestId }) {
      const orderIds = plan.orders.map(() => randomUUID());
      const { promise: complete, resolve: onComplete } = Promise.withResolvers<void>();
      const gather = createGather({
        plan,
        orderIds,
        onComplete,
        onDrop: (reason) => dropped.inc({ reason }),
      });
      const timer = setTimeout(onComplete, gatherUntil - performance.now());
      try {
        let sent = 0;
        for (const [orderIndex, order] of plan.orders.entries()) {
          const orderId = orderIds[orderIndex];
          if (order.servers.length === 0 || orderId === undefined || agentBudgetMs < 1) continue;
          awaited.set(orderId, { gather, orderIndex });
          send(order, orderId, agentBudgetMs, requestId);
          sent += 1;
        }
        running.add(onComplete);
        if (sent > 0) await complete;
      } finally {
        clearTimeout(timer);
        running.delete(onComplete);
        for (const orderId of orderIds) awaited.delete(orderId);
      }
      return gather.gathered;
    },
    endWithin(limitMs) {
      endTimer ??= setTimeout(() => {
        for (const end of running) end();
      }, limitMs);
    },
    async start() {
      subscription = bus.subscribe(`${replyPrefix}*`, take);
      await bus.flush();
    },
    async stop() {
      clearTimeout(endTimer);
      await subscription?.drain();
    },
  };
}
