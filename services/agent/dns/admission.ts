// Decides which waiting query may be sent next: caps overall, per server and per lane, fair between lanes and servers.
import { createFifo, type Fifo } from './query-fifo.ts';

/** A query that waits for its turn. */
export type Waiter = {
  readonly lane: string | number;
  readonly serverKey: string;
  /** This and `flow` belong to the admission. */
  isWaiting: boolean;
  flow?: Flow | undefined;
  /** `time` is what the admission's clock said before it looked for this waiter; as a rule it is microseconds old. */
  onGranted(time: number): void;
};

export type Admission = {
  readonly inFlight: number;
  readonly waiting: number;
  /** Those of `waiting` whose lane is bound to a share. */
  readonly waitingBound: number;
  /** Queues a waiter; `onGranted` is called in a later turn of the event loop, never within this call. */
  enter(waiter: Waiter): void;
  /** Gives up a waiter that was not granted yet; no effect afterwards. */
  leave(waiter: Waiter): void;
  /** Gives back the place of a granted waiter. */
  release(waiter: Waiter): void;
  stop(): void;
};

export type AdmissionOptions = {
  maxInFlight: number;
  maxInFlightPerServer: number;
  /** The part of all places, and of those of each server, that a lane may have at once (one of each in any case). */
  laneShares?: ReadonlyMap<string | number, number>;
  now: () => number;
};

type Server = { key: string; inFlight: number; flowCount: number; parked: Fifo<Flow> };
/**
 * The waiters of one lane for one server; queued in its lane, or with the server while that is full, or nowhere while
 * its lane has its share of that server.
 */
export type Flow = {
  lane: Lane;
  server: Server;
  waiters: Fifo<Waiter>;
  inFlight: number;
  isQueued: boolean;
  isSetAside: boolean;
};
type Lane = {
  key: string | number;
  flows: Map<string, Flow>;
  ready: Fifo<Flow>;
  isInTurn: boolean;
  isBound: boolean;
  inFlight: number;
  maxInFlight: number;
  maxInFlightPerServer: number;
};

/** One turn of the event loop grants at most this many queries, */
const batchSize = 32;
/** and stops early after this time: replies that arrive meanwhile would be measured late. */
const batchMs = 0.25;
/** Flows without waiters are kept for the next query, up to this many more than are in use. */
const spareFlows = 256;

/**
 * Creates an admission. Lanes take turns, one query each; within a lane its servers take turns. Queries of a server
 * that is at its cap are parked with that server and cost nothing until a place there is free, so that a dead server
 * with a long queue holds up neither other lanes nor other servers of its own lane. A lane that is bound to a share
 * leaves the rest of the places to the others, overall and at each server, also when nobody wants them: whoever comes
 * next does not wait for the end of a query to a dead server. Bound lanes are meant to be few.
 */
export function createAdmission(options: AdmissionOptions): Admission {
  const { maxInFlight, maxInFlightPerServer, laneShares = new Map(), now } = options;
  const servers = new Map<string, Server>();
  const lanes = new Map<string | number, Lane>();
  const turns = createFifo<Lane>();
  let flowCount = 0;
  /** Flows that are queued or have queries in flight. */
  let busyFlowCount = 0;
  let inFlight = 0;
  let waiting = 0;
  let waitingBound = 0;
  let pending: NodeJS.Immediate | null = null;
  let isStopped = false;

  function enter(waiter: Waiter): void {
    const flow = flowOf(waiter);
    waiter.isWaiting = true;
    waiter.flow = flow;
    countWaiting(flow, 1);
    flow.waiters.push(waiter);
    if (!flow.isQueued) {
      if (flow.inFlight === 0) busyFlowCount++;
      flow.isQueued = true;
      makeReady(flow);
    }
    schedule();
  }

  function leave(waiter: Waiter): void {
    const { flow } = waiter;
    if (!waiter.isWaiting || flow === undefined) return;
    // It stays in its flow and is skipped there: whoever is at the head is looked at before long.
    waiter.isWaiting = false;
    countWaiting(flow, -1);
  }

  function release(waiter: Waiter): void {
    const { flow } = waiter;
    if (flow === undefined) return;
    const { lane, server } = flow;
    countInFlight(flow, -1);
    if (flow.inFlight === 0 && !flow.isQueued) busyFlowCount--;
    unpark(server);
    if (flow.isSetAside) {
      flow.isSetAside = false;
      makeReady(flow);
    }
    if (lane.ready.size > 0) giveTurn(lane);
    schedule();
  }

  function countWaiting({ lane }: Flow, change: 1 | -1): void {
    waiting += change;
    if (lane.isBound) waitingBound += change;
  }

  function countInFlight(flow: Flow, change: 1 | -1): void {
    inFlight += change;
    flow.inFlight += change;
    flow.lane.inFlight += change;
    flow.server.inFlight += change;
  }

  function schedule(): void {
    if (pending !== null || isStopped || turns.size === 0 || inFlight >= maxInFlight) return;
    pending = setImmediate(grantBatch);
  }

  function grantBatch(): void {
    pending = null;
    let time = now();
    const endAt = time + batchMs;
    for (let granted = 0; granted < batchSize && time < endAt && inFlight < maxInFlight; granted++) {
      const waiter = nextWaiter();
      if (waiter === undefined) break;
      waiter.isWaiting = false;
      waiter.onGranted(time);
      time = now();
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
      if (flow.inFlight >= lane.maxInFlightPerServer) {
        flow.isSetAside = true;
        continue;
      }
      const waiter = nextOfFlow(flow);
      if (waiter !== undefined) {
        countWaiting(flow, -1);
        countInFlight(flow, 1);
      }
      if (flow.waiters.size > 0) {
        lane.ready.push(flow);
      } else {
        flow.isQueued = false;
        if (flow.inFlight === 0) busyFlowCount--;
      }
      unpark(server);
      if (waiter !== undefined) return waiter;
    }
    return undefined;
  }

  function nextOfFlow(flow: Flow): Waiter | undefined {
    let waiter = flow.waiters.shift();
    while (waiter !== undefined && !waiter.isWaiting) waiter = flow.waiters.shift();
    return waiter;
  }

  // Keeps this true: a server with a free place and parked flows has at least one flow in the turn of a lane that is not
  // bound. One is enough, since serving it unparks the next; all at once would visit every lane for one place. A flow of
  // a bound lane may not be served for long, and does not hold up those behind it.
  function unpark(server: Server): void {
    if (server.inFlight >= maxInFlightPerServer) return;
    for (let flow = server.parked.shift(); flow !== undefined; flow = server.parked.shift()) {
      makeReady(flow);
      if (!flow.lane.isBound) return;
    }
  }

  function makeReady(flow: Flow): void {
    flow.lane.ready.push(flow);
    giveTurn(flow.lane);
  }

  function giveTurn(lane: Lane): void {
    if (lane.isInTurn || lane.inFlight >= lane.maxInFlight) return;
    lane.isInTurn = true;
    turns.push(lane);
  }

  function flowOf({ lane: laneKey, serverKey }: Waiter): Flow {
    const known = lanes.get(laneKey)?.flows.get(serverKey);
    if (known !== undefined) return known;
    if (flowCount > 2 * busyFlowCount + spareFlows) dropUnused();
    const lane = lanes.get(laneKey) ?? createLane(laneKey);
    lanes.set(laneKey, lane);
    const server = servers.get(serverKey) ?? {
      key: serverKey,
      inFlight: 0,
      flowCount: 0,
      parked: createFifo(),
    };
    servers.set(serverKey, server);
    const flow: Flow = {
      lane,
      server,
      waiters: createFifo(),
      inFlight: 0,
      isQueued: false,
      isSetAside: false,
    };
    lane.flows.set(serverKey, flow);
    server.flowCount++;
    flowCount++;
    return flow;
  }

  function createLane(key: string | number): Lane {
    const share = laneShares.get(key) ?? Infinity;
    return {
      key,
      flows: new Map(),
      ready: createFifo(),
      isInTurn: false,
      isBound: laneShares.has(key),
      inFlight: 0,
      maxInFlight: Math.max(Math.floor(maxInFlight * share), 1),
      maxInFlightPerServer: Math.max(Math.floor(maxInFlightPerServer * share), 1),
    };
  }

  // Dropping each lane and server as it falls empty would rebuild them for every query of a lightly loaded agent.
  function dropUnused(): void {
    for (const lane of lanes.values()) {
      for (const flow of lane.flows.values()) {
        if (flow.isQueued || flow.inFlight > 0) continue;
        lane.flows.delete(flow.server.key);
        flow.server.flowCount--;
        flowCount--;
      }
      if (lane.flows.size === 0) lanes.delete(lane.key);
    }
    for (const server of servers.values()) {
      if (server.flowCount === 0) servers.delete(server.key);
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
    get waitingBound() {
      return waitingBound;
    },
    enter,
    leave,
    release,
    stop,
  };
}
