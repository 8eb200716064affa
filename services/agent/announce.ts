// Tells the gateways that this agent is there, where it stands and how loaded it is.
import { type Heartbeat, heartbeatIntervalMs } from '../../contracts/agent.ts';
import { internalSubjects } from '../../contracts/subjects.ts';
import type { Bus, Subscription } from '../../infra/bus/bus.ts';
import type { Component } from '../../infra/lifecycle.ts';

/** Who and where an agent is, and which process of it: `session` is a UUID. */
export type AgentIdentity = Omit<Heartbeat, 'state' | 'load'>;

/**
 * Heartbeats at a steady pace and whenever a gateway asks, as long as orders are taken: nobody should wait for an agent
 * whose login does not let it hear them. The last one says that no further orders are taken.
 */
export function createAnnouncer(options: {
  bus: Bus;
  identity: AgentIdentity;
  readLoad: () => Heartbeat['load'];
  isTakingOrders: () => boolean;
}): Component {
  const { bus, identity, readLoad, isTakingOrders } = options;
  let timer: NodeJS.Timeout | undefined;
  let subscriptions: Subscription[] = [];

  function announce(state: Heartbeat['state']): void {
    // A heartbeat kept for later would say that this agent is alive when it may not be.
    if (!bus.isConnected() || (state === 'ready' && !isTakingOrders())) return;
    const heartbeat: Heartbeat = { ...identity, load: readLoad(), state };
    bus.publish(internalSubjects.heartbeat, { body: Buffer.from(JSON.stringify(heartbeat)) });
  }

  return {
    async start() {
      subscriptions = [
        bus.subscribe(internalSubjects.discover, () => announce('ready')),
        bus.onReconnect(() => announce('ready')),
      ];
      timer = setInterval(() => announce('ready'), heartbeatIntervalMs);
      announce('ready');
      await bus.flush();
    },
    async stop() {
      clearInterval(timer);
      await Promise.all(subscriptions.map((subscription) => subscription.drain()));
      if (timer !== undefined) announce('draining');
      timer = undefined;
    },
  };
}
