// Decides which waiting query may be sent next: caps overall and per server, fair between lanes and servers.
import { createFifo, type Fifo } from './query-fifo.ts';

/** A query that waits for its turn. `isWaiting` belongs to the admission. */
export type Waiter = {
  readonly lane: string | number;
  readonly serverKey: string;
  isWaiting: boolean;
  onGranted(): void;
};

export type Admission = {
  readonly inFlight: number;
  readonly waiting: number;
  /** Queues a waiter; `onGranted` is called in a later turn of the event loop, never within this call. */
  enter(waiter: Waiter): void;
  /** Gives up a waiter that was not granted yet; no effect afterwards. */
  leave(waiter: Waiter): void;
  /** Gives back the place of a granted waiter. */
  release(waiter: Waiter): void;
  stop(): void;
};

export type AdmissionOptions = { maxInFlight: number; maxInFlightPerServer: number; now: () => number };

type Server = { key: string; inFlight: number; flowCount: number; parked: Fifo<Flow> };
/** The waiters of one lane for one server; queued either in its lane or, while its server is full, with the server. */
type Flow = { lane: Lane; server: Server; waiters: Fifo<Waiter>; isQueued: boolean };
type Lane = { key: string | number; flows: Map<string, Flow>; ready: Fifo<Flow>; isInTurn: boolean };

/** One turn of the event loop grants at most this many queries, */
const batchSize = 32;
/** and stops early after this time: replies that arrive meanwhile would be measured late. */
const batchMs = 0.25;
/** Flows without waiters are kept for the next query, up to this many more than are in use. */
const spareFlows = 256;

/**
 * Creates an admission. Lanes take turns, one query each; within a lane its servers take turns. Queries of a server
 * that is at its cap are parked with that server and cost nothing until a place there is free, so that a dead server
 * with a long queue holds up neither other lanes nor other servers of its own lane.
 */
export function createAdmission({ maxInFlight, maxInFlightPerServer, now }: AdmissionOptions): Admission {
  const servers = new Map<string, Server>();
  const lanes = new Map<string | number, Lane>();
  const turns = createFifo<Lane>();
  let flowCount = 0;
  let queuedFlowCount = 0;
  let inFlight = 0;
  let waiting = 0;
  let pending: NodeJS.Immediate | null = null;
  let isStopped = false;

  function enter(waiter: Waiter): void {
    waiter.isWaiting = true;
    waiting++;
    const flow = flowOf(waiter);
    flow.waiters.push(waiter);
    if (!flow.isQueued) {
      flow.isQueued = true;
      queuedFlowCount++;
      makeReady(flow);
    }
    schedule();
  }

  function leave(waiter: Waiter): void {
    if (!waiter.isWaiting) return;
    // It stays in its flow and is skipped there: whoever is at the head is looked at before long.
    waiter.isWaiting = false;
    waiting--;
  }

  function release(waiter: Waiter): void {
    const server = servers.get(waiter.serverKey);
    if (server === undefined) return;
    inFlight--;
    server.inFlight--;
    unparkOne(server);
    schedule();
  }

  function schedule(): void {
    if (pending !== null || isStopped || turns.size === 0 || inFlight >= maxInFlight) return;
    pending = setImmediate(grantBatch);
  }

  function grantBatch(): void {
    pending = null;
    const endAt = now() + batchMs;
    for (let granted = 0; granted < batchSize && inFlight < maxInFlight; granted++) {
      const waiter = nextWaiter();
      if (waiter === undefined) break;
      waiter.isWaiting = false;
      waiting--;
      waiter.onGranted();
      if (now() >= endAt) break;
    }
    schedule();
  }

  function nextWaiter(): Waiter | undefined {
    for (let lane = turns.shift(); lane !== undefined; lane = turns.shift()) {
      lane.isInTurn = false;
      const waiter = nextOfLane(lane);
      if (lane.ready.size > 0) giveTurn(lane);
      if (waiter !== undefined) return waiter;
    }
    return undefined;
  }

  function nextOfLane(lane: Lane): Waiter | undefined {
    for (let flow = lane.ready.shift(); flow !== undefined; flow = lane.ready.shift()) {
      const { server } = flow;
      if (server.inFlight >= maxInFlightPerServer) {
        server.parked.push(flow);
        continue;
      }
      const waiter = nextOfFlow(flow);
      if (waiter !== undefined) {
        inFlight++;
        server.inFlight++;
      }
      if (flow.waiters.size > 0) {
        lane.ready.push(flow);
      } else {
        flow.isQueued = false;
        queuedFlowCount--;
      }
      unparkOne(server);
      if (waiter !== undefined) return waiter;
    }
    return undefined;
  }

  function nextOfFlow(flow: Flow): Waiter | undefined {
    let waiter = flow.waiters.shift();
    while (waiter !== undefined && !waiter.isWaiting) waiter = flow.waiters.shift();
    return waiter;
  }

  // Keeps this true: a server with a free place and parked flows has at least one flow in some lane's turn.
  // One is enough, since serving it unparks the next; all at once would visit every lane for one place.
  function unparkOne(server: Server): void {
    if (server.inFlight >= maxInFlightPerServer) return;
    const flow = server.parked.shift();
    if (flow !== undefined) makeReady(flow);
  }

  function makeReady(flow: Flow): void {
    flow.lane.ready.push(flow);
    giveTurn(flow.lane);
  }

  function giveTurn(lane: Lane): void {
    if (lane.isInTurn) return;
    lane.isInTurn = true;
    turns.push(lane);
  }

  function flowOf({ lane: laneKey, serverKey }: Waiter): Flow {
    const known = lanes.get(laneKey)?.flows.get(serverKey);
    if (known !== undefined) return known;
    if (flowCount > 2 * queuedFlowCount + spareFlows) dropUnused();
    const lane = lanes.get(laneKey) ?? {
      key: laneKey,
      flows: new Map(),
      ready: createFifo(),
      isInTurn: false,
    };
    lanes.set(laneKey, lane);
    const server = servers.get(serverKey) ?? {
      key: serverKey,
      inFlight: 0,
      flowCount: 0,
      parked: createFifo(),
    };
    servers.set(serverKey, server);
    const flow: Flow = { lane, server, waiters: createFifo(), isQueued: false };
    lane.flows.set(serverKey, flow);
    server.flowCount++;
    flowCount++;
    return flow;
  }

  // Dropping each lane and server as it falls empty would rebuild them for every query of a lightly loaded agent.
  function dropUnused(): void {
    for (const lane of lanes.values()) {
      for (const flow of lane.flows.values()) {
        if (flow.isQueued) continue;
        lane.flows.delete(flow.server.key);
        flow.server.flowCount--;
        flowCount--;
      }
      if (lane.flows.size === 0) lanes.delete(lane.key);
    }
    for (const server of servers.values()) {
      if (server.flowCount === 0 && server.inFlight === 0) servers.delete(server.key);
    }
  }

  function stop(): void {
    isStopped = true;
    if (pending !== null) clearImmediate(pending);
    pending = null;
  }

  return {
    get inFlight() {
      return inFlight;
    },
    get waiting() {
      return waiting;
    },
    enter,
    leave,
    release,
    stop,
  };
}
