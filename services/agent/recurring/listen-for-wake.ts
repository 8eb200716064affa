// Hears from the scheduler that there are runs for this agent.
import { wakeSubject } from '../../../contracts/subjects.ts';
import type { Bus, Subscription } from '../../../infra/bus/bus.ts';
import type { Component } from '../../../infra/lifecycle.ts';

/** Calls `onWake` for every message; a message that is lost is made up for by the agent's own polling. */
export function listenForWake(bus: Bus, agentId: string, onWake: () => void): Component {
  let subscription: Subscription | undefined;
  return {
    async start() {
      subscription = bus.subscribe(wakeSubject(agentId), onWake);
    },
    async stop() {
      await subscription?.drain();
    },
  };
}
