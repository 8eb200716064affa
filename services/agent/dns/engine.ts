// The DNS engine: asks any number of servers over UDP and TCP, within caps, and always answers by the deadline.
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { createAdmission } from './admission.ts';
import { readDescriptorLimit } from './descriptor-limit.ts';
import { createChannelPools } from './query-channels.ts';
import type { Channel, ExchangeCounters } from './query-exchange.ts';
import { createRandomIds } from './query-ids.ts';
import type { DnsQuery, Resolution } from './query-resolution.ts';
import { QueryRun, type QueryRunDeps } from './query-run.ts';
import { createServerMemory } from './server-memory.ts';
import { openTcpConnection } from './tcp-connection.ts';
import { createTimerHeap } from './timer-heap.ts';
import { createReceiveBuffer, type EngineLogger } from './udp-receive-buffer.ts';
import { openUdpSocket } from './udp-socket.ts';

export type { DnsQuery, EngineLogger, Resolution };

export type DnsEngineOptions = {
  /** Queries in flight to all servers together, default 1,024; fewer where the descriptor limit allows no more. */
  maxInFlight?: number;
  /** Queries in flight to one address and port, default 128. */
  maxInFlightPerServer?: number;
  /** The part of both that a lane may have in flight at once; default all of it. Lanes bound like this are few. */
  laneShares?: ReadonlyMap<string | number, number>;
  /** UDP sockets per server, each on a random port of its own, default 32. */
  socketsPerServer?: number;
  /** Receive buffer of each UDP socket, default 4 MiB; the system may grant less. */
  receiveBufferBytes?: number;
  /** A socket or connection unused for this long is closed; default 10 s, below what most servers allow. */
  idleMs?: number;
  /** Files and sockets this process may have open; default what the system says. */
  descriptorLimit?: number;
  /** Milliseconds that what is read right now may have waited unread (a stall clock), for `lagMs`; default never any. */
  stalledMs?: () => number;
  logger: EngineLogger;
};

export type DnsEngineStats = ExchangeCounters & {
  inFlight: number;
  waiting: number;
  /** Those of `waiting` whose lane is bound to a share. */
  waitingBound: number;
  udpSockets: number;
  tcpConnections: number;
  /** Octets granted per UDP socket; null before the first one. */
  receiveBufferBytes: number | null;
};

export type DnsEngine = {
  /**
   * Asks a question and calls `onResolution` once, by `deadlineAt` (`performance.now()` milliseconds, exceeded by a few
   * at most), whatever happens. What that throws is an uncaught exception; the engine goes on. (A promise for each query
   * would cost half a microsecond.) Waiting for a free place is not part of the delay; a query that has none 50 ms before
   * its deadline ends as AGENT_OVERLOADED, unsent. Lanes take turns, so give each independent customer a lane of its own.
   * With `askingMs` the deadline is for the place alone: whoever has one by then is asked for that long in full.
   */
  resolve(
    query: DnsQuery,
    options: { deadlineAt: number; askingMs?: number | undefined; lane: string | number },
    onResolution: (resolution: Resolution) => void,
  ): void;
  stats(): DnsEngineStats;
  /** Ends all pending queries as NETWORK_ERROR and closes all sockets. Idempotent; queries after it end at once. */
  stop(): Promise<void>;
};

/** TCP connections per server, and how many queries one carries before another is opened beside it. */
const connectionsPerServer = 4;
const queriesPerConnection = 8;
/** Sockets the engine may hold whatever its number of queries, */
const minSockets = 1024;
/** and descriptors it leaves to the rest of the process, within the system's limit. */
const reservedDescriptors = 64;

/** Creates an engine. Sockets are opened when they are first needed. */
export function createDnsEngine({
  maxInFlight = 1024,
  maxInFlightPerServer = 128,
  laneShares = new Map(),
  socketsPerServer = 32,
  receiveBufferBytes = 4 * 1024 * 1024,
  idleMs = 10_000,
  descriptorLimit = readDescriptorLimit(),
  stalledMs = () => 0,
  logger,
}: DnsEngineOptions): DnsEngine {
  const now = () => performance.now();
  const randomId = createRandomIds();
  const serverKeyOf = createServerKeys();
  const counters: ExchangeCounters = {
    sent: 0,
    received: 0,
    mismatched: 0,
    late: 0,
    duplicate: 0,
    malformed: 0,
  };
  const receiveBuffer = createReceiveBuffer({ bytes: receiveBufferBytes, logger });
  const maxOpen = Math.min(
    Math.max(2 * maxInFlight, minSockets),
    Math.max(descriptorLimit - reservedDescriptors, 2),
  );
  const admission = createAdmission({
    maxInFlight: limitInFlight(maxInFlight, maxOpen, logger),
    maxInFlightPerServer,
    laneShares,
    now,
  });
  const timers = createTimerHeap<QueryRun>(now, () => counters.received);
  const closers = createServerMemory(now);
  const pools = createChannelPools({
    kinds: {
      udp: {
        open: (server, _, hooks) => openUdpSocket(server, hooks, { receiveBuffer, randomId, counters, now }),
        pick: (sockets, avoid) => pickAny(sockets, avoid, socketsPerServer, randomId),
      },
      tcp: {
        open: (server, serverKey, hooks) =>
          openTcpConnection(server, hooks, { closers, serverKey, randomId, counters, now }),
        pick: pickLeastLoaded,
      },
    },
    maxOpen,
    idleMs,
    now,
  });
  const plainServers = createServerMemory(now);
  const deps: QueryRunDeps = { now, timers, pools, plainServers, counters, stalledMs, onSettled };
  let isStopped = false;
  let stopping: Promise<void> | null = null;

  function onSettled(run: QueryRun): void {
    timers.clear(run);
    if (run.isWaiting) admission.leave(run);
    else admission.release(run);
  }

  return {
    resolve(query, { deadlineAt, askingMs, lane }, onResolution) {
      const serverKey = serverKeyOf(query.server);
      const run = new QueryRun({ query, lane, serverKey, deadlineAt, askingMs }, onResolution, deps);
      admission.enter(run);
      if (isStopped) run.settleEmpty('NETWORK_ERROR');
      else timers.set(run, run.startBy);
    },
    stats: () => ({
      ...counters,
      inFlight: admission.inFlight,
      waiting: admission.waiting,
      waitingBound: admission.waitingBound,
      udpSockets: pools.openCount('udp'),
      tcpConnections: pools.openCount('tcp'),
      receiveBufferBytes: receiveBuffer.obtainedBytes,
    }),
    stop() {
      // First of all: who is told of an end may ask again at once.
      isStopped = true;
      stopping ??= stopAll();
      return stopping;
    },
  };

  async function stopAll(): Promise<void> {
    admission.stop();
    // Every query that has no result yet waits for some time to come.
    for (const run of timers.stop()) run.settleEmpty('NETWORK_ERROR');
    await pools.stop();
  }
}

/**
 * Gives each server one text. Questions to one server come in a row as a rule, and a text that was made anew would be
 * hashed anew by every Map that it is looked up in.
 */
function createServerKeys(): (server: DnsServer) => string {
  let last: DnsServer | null = null;
  let lastKey = '';
  return (server) => {
    if (server !== last) {
      last = server;
      lastKey = `${server.address} ${server.port}`;
    }
    return lastKey;
  };
}

/** A query listens on two sockets at most; where there are not enough for all, some wait instead of failing. */
function limitInFlight(asked: number, maxOpen: number, logger: EngineLogger): number {
  const maxInFlight = Math.min(asked, Math.floor(maxOpen / 2));
  if (maxInFlight < asked)
    logger.warn(
      { asked, maxInFlight },
      'few descriptors: fewer queries in flight than asked (raise ulimit -n)',
    );
  return maxInFlight;
}

/** A random socket; while there are fewer than `limit`, the free places are drawn too and give a new one. */
function pickAny(
  sockets: readonly Channel[],
  avoid: Channel | null,
  limit: number,
  randomId: () => number,
): Channel | null {
  const index = randomId() % limit;
  const picked = sockets[index] ?? null;
  if (picked === null || picked !== avoid) return picked;
  return sockets.length < limit ? null : (sockets[(index + 1) % sockets.length] ?? null);
}

/** The connection with the fewest queries in flight, or a new one beside it while they are few and busy. */
function pickLeastLoaded(connections: readonly Channel[], avoid: Channel | null): Channel | null {
  let least: Channel | null = null;
  for (const connection of connections) {
    if (connection !== avoid && (least === null || connection.inFlight < least.inFlight)) least = connection;
  }
  if (least === null) return null;
  const isBusy = least.inFlight >= queriesPerConnection;
  return isBusy && connections.length < connectionsPerServer ? null : least;
}
