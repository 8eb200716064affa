// Keeps the sockets or connections of every server: opens on demand, shares, rotates, closes idle ones.
import type { DnsServer } from '../../../contracts/dns-server.ts';
import type { Channel } from './query-exchange.ts';

export type ChannelPools = {
  /** Open channels of all servers. */
  readonly openCount: number;
  /**
   * A channel for one more query to `server`, other than `avoid` where it can. Throws the system's error when one
   * had to be opened and could not be.
   */
  channelFor(server: DnsServer, serverKey: string, avoid: Channel | null): Channel;
  stop(): Promise<void>;
};

export type ChannelPoolsDeps = {
  /** Opens a channel; `onRetired` is to be called once it takes no more queries, `onClosed` once it is closed. */
  open(server: DnsServer, hooks: ChannelHooks): Channel;
  /** One of the pool's channels (never empty), or null for a new one. */
  pick(channels: readonly Channel[], avoid: Channel | null): Channel | null;
  /** Open channels of all servers together; idle ones of other servers make room for new ones. */
  maxOpen: number;
  /** A channel unused for this long is closed. */
  idleMs: number;
  now: () => number;
};

export type ChannelHooks = { onRetired(channel: Channel): void; onClosed(channel: Channel): void };

/**
 * Creates the pools of one transport. With `maxOpen` at least twice the number of queries in flight (each listens on
 * two channels at most) an idle channel can always be found, and `maxOpen` is never exceeded.
 */
export function createChannelPools({ open, pick, maxOpen, idleMs, now }: ChannelPoolsDeps): ChannelPools {
  const pools = new Map<string, Channel[]>();
  const openChannels = new Set<Channel>();
  let sweeper: NodeJS.Timeout | null = null;

  function channelFor(server: DnsServer, serverKey: string, avoid: Channel | null): Channel {
    for (;;) {
      const pool = pools.get(serverKey);
      const picked = pool === undefined ? null : pick(pool, avoid);
      if (picked === null) return openFor(server, serverKey);
      if (!picked.isSpent(now())) return picked;
      picked.retire();
    }
  }

  function openFor(server: DnsServer, serverKey: string): Channel {
    if (openChannels.size >= maxOpen) retireIdle();
    const channel = open(server, {
      onRetired: (retired) => leavePool(serverKey, retired),
      onClosed: (closed) => {
        leavePool(serverKey, closed);
        openChannels.delete(closed);
        if (openChannels.size === 0 && sweeper !== null) {
          clearInterval(sweeper);
          sweeper = null;
        }
      },
    });
    openChannels.add(channel);
    const pool = pools.get(serverKey);
    if (pool === undefined) pools.set(serverKey, [channel]);
    else pool.push(channel);
    sweeper ??= setInterval(sweep, idleMs / 2).unref();
    return channel;
  }

  function leavePool(serverKey: string, channel: Channel): void {
    const pool = pools.get(serverKey);
    const index = pool?.indexOf(channel) ?? -1;
    if (pool === undefined || index < 0) return;
    pool.splice(index, 1);
    if (pool.length === 0) pools.delete(serverKey);
  }

  function retireIdle(): void {
    for (const channel of openChannels) {
      if (channel.inFlight > 0) continue;
      channel.retire();
      return;
    }
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

  return {
    get openCount() {
      return openChannels.size;
    },
    channelFor,
    stop,
  };
}
