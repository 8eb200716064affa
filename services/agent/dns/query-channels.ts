// Keeps the sockets and connections of every server: opens on demand, shares, rotates, closes idle ones.
import type { DnsServer } from '../../../contracts/dns-server.ts';
import { type Channel, faultOf, type Transport } from './query-exchange.ts';

export type ChannelPools = {
  /** Open channels of one transport to all servers. */
  openCount(transport: Transport): number;
  /**
   * A channel for one more query to `server`, other than `avoid` where it can, at `time` (that of the pools' clock).
   * Throws the system's error when one had to be opened and could not be.
   */
  channelFor(
    transport: Transport,
    server: DnsServer,
    serverKey: string,
    avoid: Channel | null,
    time: number,
  ): Channel;
  stop(): Promise<void>;
};

/** What is particular to one transport. */
export type ChannelKind = {
  open(server: DnsServer, serverKey: string, hooks: ChannelHooks): Channel;
  /** One of the pool's channels (never empty), or null for a new one. */
  pick(channels: readonly Channel[], avoid: Channel | null): Channel | null;
};

/** What a channel tells its pool. */
export type ChannelHooks = {
  /** It takes no more queries. */
  onRetired(channel: Channel): void;
  /** It is retired and its last query has ended: it is to be closed. */
  onDrained(channel: Channel): void;
  onClosed(channel: Channel): void;
  /** The system has no socket for it: closes idle ones, false when there are none. */
  makeRoom(): boolean;
};

export type ChannelPoolsDeps = {
  kinds: Record<Transport, ChannelKind>;
  /** Open channels of all servers and transports together; idle ones make room for new ones. */
  maxOpen: number;
  /** A channel unused for this long is closed. */
  idleMs: number;
  now: () => number;
};

type Pools = Map<string, Channel[]>;

/** Idle channels closed at a time when the system runs short: the rest of the process needs some as well. */
const roomSize = 32;
/** One turn of the event loop closes channels for this long: results must not wait behind a thousand connections. */
const closeBatchMs = 0.25;

/**
 * Creates the pools. With `maxOpen` at least twice the number of queries in flight (each listens on two channels at
 * most) an idle channel can always be found, and `maxOpen` is never exceeded.
 */
export function createChannelPools({ kinds, maxOpen, idleMs, now }: ChannelPoolsDeps): ChannelPools {
  const pools: Record<Transport, Pools> = { udp: new Map(), tcp: new Map() };
  const openCounts: Record<Transport, number> = { udp: 0, tcp: 0 };
  const openChannels = new Set<Channel>();
  const drained: Channel[] = [];
  let sweeper: NodeJS.Timeout | null = null;

  function channelFor(
    transport: Transport,
    server: DnsServer,
    serverKey: string,
    avoid: Channel | null,
    time: number,
  ): Channel {
    for (;;) {
      const pool = pools[transport].get(serverKey);
      const picked = pool === undefined ? null : kinds[transport].pick(pool, avoid);
      if (picked === null) return openFor(transport, server, serverKey);
      if (!picked.isSpent(time)) return picked;
      picked.retire();
    }
  }

  function openFor(transport: Transport, server: DnsServer, serverKey: string): Channel {
    if (openChannels.size >= maxOpen) closeIdle(1);
    const channel = openOrMakeRoom(transport, server, serverKey);
    openChannels.add(channel);
    openCounts[transport]++;
    const pool = pools[transport].get(serverKey);
    if (pool === undefined) pools[transport].set(serverKey, [channel]);
    else pool.push(channel);
    sweeper ??= setInterval(sweep, idleMs / 2).unref();
    return channel;
  }

  function openOrMakeRoom(transport: Transport, server: DnsServer, serverKey: string): Channel {
    const open = () => kinds[transport].open(server, serverKey, hooksFor(transport, serverKey));
    try {
      return open();
    } catch (error) {
      if (faultOf(error) !== 'AGENT_OVERLOADED' || closeIdle(roomSize) === 0) throw error;
      return open();
    }
  }

  function hooksFor(transport: Transport, serverKey: string): ChannelHooks {
    return {
      onRetired: (retired) => leavePool(pools[transport], serverKey, retired),
      onDrained(channel) {
        drained.push(channel);
        if (drained.length === 1) setImmediate(closeDrained);
      },
      onClosed(closed) {
        leavePool(pools[transport], serverKey, closed);
        if (openChannels.delete(closed)) openCounts[transport]--;
        if (openChannels.size === 0 && sweeper !== null) {
          clearInterval(sweeper);
          sweeper = null;
        }
      },
      makeRoom: () => closeIdle(roomSize) > 0,
    };
  }

  function closeDrained(): void {
    const endAt = now() + closeBatchMs;
    for (let channel = drained.pop(); channel !== undefined; channel = drained.pop()) {
      void channel.close();
      if (now() >= endAt) break;
    }
    if (drained.length > 0) setImmediate(closeDrained);
  }

  /** Closes up to `count` channels without queries at once, the oldest first; returns how many. */
  function closeIdle(count: number): number {
    let closed = 0;
    for (const channel of openChannels) {
      if (channel.inFlight > 0) continue;
      void channel.close();
      if (++closed === count) break;
    }
    return closed;
  }

  function sweep(): void {
    const idleSince = now() - idleMs;
    for (const channel of openChannels) {
      if (channel.inFlight === 0 && channel.lastUsedAt <= idleSince) channel.retire();
    }
  }

  async function stop(): Promise<void> {
    await Promise.all([...openChannels].map((channel) => channel.close()));
  }

  return { openCount: (transport) => openCounts[transport], channelFor, stop };
}

function leavePool(pools: Pools, serverKey: string, channel: Channel): void {
  const pool = pools.get(serverKey);
  const index = pool?.indexOf(channel) ?? -1;
  if (pool === undefined || index < 0) return;
  pool.splice(index, 1);
  if (pool.length === 0) pools.delete(serverKey);
}
