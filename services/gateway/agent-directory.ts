// The live agents, known from their heartbeats alone: one-shot probes need no database.
import {
  type AgentInfo,
  type Heartbeat,
  heartbeatIntervalMs,
  heartbeatSchema,
  missedHeartbeats,
} from '../../contracts/agent.ts';
import { decodeJson } from '../../contracts/decode.ts';
import { internalSubjects } from '../../contracts/subjects.ts';
import type { Bus, BusMessage, Subscription } from '../../infra/bus/bus.ts';
import type { Component } from '../../infra/lifecycle.ts';
import type { Logger } from '../../infra/logger.ts';
import type { Metrics } from '../../infra/metrics.ts';

export type LiveAgent = Heartbeat;

export type AgentDirectory = Component & {
  /** Agents that announced themselves lately and take orders, in the order of their ids. */
  live(): LiveAgent[];
  describe(): AgentInfo[];
};

const silenceLimitMs = heartbeatIntervalMs * missedHeartbeats;
/** How long a starting gateway collects the answers of agents before it serves. */
const discoveryMs = 500;

/** `formerSession`: of the process that had this id before. */
type Entry = { agent: LiveAgent; seenAt: number; formerSession: string | undefined };

/** Listens to heartbeats; `start` asks all agents for one and collects the answers for half a second. */
export function createAgentDirectory(options: {
  bus: Bus;
  metrics: Metrics;
  logger: Logger;
}): AgentDirectory {
  const { bus, metrics, logger } = options;
  const entries = new Map<string, Entry>();
  let subscriptions: Subscription[] = [];
  metrics.gauge('probe_agents_live', 'Agents that take orders', () => live().length);
  const garbage = metrics.counter(
    'probe_heartbeats_refused_total',
    'Heartbeats that do not fit their schema',
  );

  function take(message: BusMessage): void {
    const agent = parseHeartbeat(message.body);
    if (agent === undefined) {
      garbage.inc();
      return;
    }
    const known = entries.get(agent.agent_id);
    if (agent.state === 'draining') {
      // A second process of the same id may have taken over already.
      if (known?.agent.session === agent.session) entries.delete(agent.agent_id);
      return;
    }
    if (known === undefined) logger.info({ agent: agent.agent_id }, 'agent is there');
    const hasMoved = known !== undefined && known.agent.session !== agent.session;
    // A process that took over is silent about it; one that comes back after that is a second one of the same id.
    if (hasMoved && known.formerSession === agent.session) {
      logger.warn({ agent: agent.agent_id }, 'two processes announce this agent id');
    }
    entries.set(agent.agent_id, {
      agent,
      seenAt: performance.now(),
      formerSession: hasMoved ? known.agent.session : known?.formerSession,
    });
  }

  function live(): LiveAgent[] {
    return liveEntries().map(({ agent }) => agent);
  }

  function liveEntries(): Entry[] {
    // While the bus is away nobody can be heard.
    const oldest = bus.isConnected() ? performance.now() - silenceLimitMs : 0;
    for (const [id, { seenAt }] of entries) {
      if (seenAt >= oldest) continue;
      entries.delete(id);
      logger.warn({ agent: id }, 'agent is silent');
    }
    return [...entries.values()].sort((a, b) => (a.agent.agent_id < b.agent.agent_id ? -1 : 1));
  }

  /** Silence while the bus was away says nothing about the agents: all get a new term to prove themselves. */
  function renewTerms(): void {
    const now = performance.now();
    for (const entry of entries.values()) entry.seenAt = now;
    discover();
  }

  function discover(): void {
    bus.publish(internalSubjects.discover);
  }

  return {
    live,
    describe: () =>
      liveEntries().map(({ agent: { session, state, ...info }, seenAt }) => ({
        ...info,
        last_seen_ms: Math.round(performance.now() - seenAt),
      })),
    async start() {
      subscriptions = [bus.subscribe(internalSubjects.heartbeat, take), bus.onReconnect(renewTerms)];
      await bus.flush();
      discover();
      await new Promise((resolve) => setTimeout(resolve, discoveryMs));
    },
    async stop() {
      await Promise.all(subscriptions.map((subscription) => subscription.drain()));
    },
  };
}

function parseHeartbeat(body: Uint8Array): Heartbeat | undefined {
  try {
    return heartbeatSchema.safeParse(decodeJson(body)).data;
  } catch {
    return undefined;
  }
}
