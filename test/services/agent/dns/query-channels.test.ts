// Opening, sharing, replacing and closing of channels, with channels that only count.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { DnsServer } from '../../../../contracts/dns-server.ts';
import { type ChannelHooks, createChannelPools } from '../../../../services/agent/dns/query-channels.ts';
import type { Channel } from '../../../../services/agent/dns/query-exchange.ts';

type Counting = Channel & { inFlight: number; lastUsedAt: number; isSpentNow: boolean; isClosed: boolean };

const server: DnsServer = { transport: 'udp', address: '127.0.0.1', family: 4, port: 53 };

function openCounting(hooks: ChannelHooks): Counting {
  const channel: Counting = {
    inFlight: 0,
    lastUsedAt: performance.now(),
    isSpentNow: false,
    isClosed: false,
    isSpent: () => channel.isSpentNow,
    send: () => undefined,
    end: () => undefined,
    retire: () => {
      hooks.onRetired(channel);
      if (channel.inFlight === 0) void channel.close();
    },
    async close() {
      channel.isClosed = true;
      hooks.onClosed(channel);
    },
  };
  return channel;
}

function setUp(options: { maxOpen?: number; idleMs?: number } = {}) {
  const opened: Counting[] = [];
  const pools = createChannelPools({
    open: (_, hooks) => {
      const channel = openCounting(hooks);
      opened.push(channel);
      return channel;
    },
    pick: (channels, avoid) => channels.find((channel) => channel !== avoid) ?? null,
    maxOpen: options.maxOpen ?? 10,
    idleMs: options.idleMs ?? 60_000,
    now: () => performance.now(),
  });
  onTestFinished(() => pools.stop());
  return { opened, pools };
}

describe('createChannelPools', () => {
  test('shares a channel between queries to one server, not between servers', () => {
    const { opened, pools } = setUp();
    const first = pools.channelFor(server, 'a', null);
    expect(pools.channelFor(server, 'a', null)).toBe(first);
    expect(pools.channelFor(server, 'b', null)).not.toBe(first);
    expect(opened).toHaveLength(2);
  });

  test('opens another channel beside the one to avoid', () => {
    const { pools } = setUp();
    const first = pools.channelFor(server, 'a', null);
    expect(pools.channelFor(server, 'a', first)).not.toBe(first);
    expect(pools.openCount).toBe(2);
  });

  test('replaces a spent channel and closes it when its last query has ended', () => {
    const { opened, pools } = setUp();
    pools.channelFor(server, 'a', null);
    const [spent] = opened;
    if (spent === undefined) throw new Error('nothing opened');
    spent.isSpentNow = true;
    spent.inFlight = 1;
    expect(pools.channelFor(server, 'a', null)).not.toBe(spent);
    expect(spent.isClosed).toBe(false);
    expect(pools.openCount).toBe(2);
    spent.inFlight = 0;
    spent.retire();
    expect(pools.openCount).toBe(1);
  });

  test('closes an idle channel of another server to stay within its limit', () => {
    const { opened, pools } = setUp({ maxOpen: 3 });
    for (const key of ['a', 'b', 'c']) pools.channelFor(server, key, null);
    const [busy, idle] = opened;
    if (busy === undefined || idle === undefined) throw new Error('nothing opened');
    busy.inFlight = 1;
    pools.channelFor(server, 'd', null);
    expect([busy.isClosed, idle.isClosed]).toEqual([false, true]);
    expect(pools.openCount).toBe(3);
  });

  test('asks thousands of servers without holding more channels than its limit', () => {
    const { opened, pools } = setUp({ maxOpen: 50 });
    for (let index = 0; index < 5_000; index++) pools.channelFor(server, `s${index}`, null);
    expect(opened).toHaveLength(5_000);
    expect(pools.openCount).toBe(50);
  });

  test('closes channels that were idle for a while, and no busy ones', async () => {
    const { opened, pools } = setUp({ idleMs: 30 });
    pools.channelFor(server, 'busy', null);
    pools.channelFor(server, 'idle', null);
    const [busy, idle] = opened;
    if (busy === undefined || idle === undefined) throw new Error('nothing opened');
    busy.inFlight = 1;
    await vi.waitFor(() => expect(idle.isClosed).toBe(true), { timeout: 2_000, interval: 5 });
    expect(busy.isClosed).toBe(false);
  });

  test('passes on the error when none can be opened', () => {
    const pools = createChannelPools({
      open: () => {
        throw new Error('no more files');
      },
      pick: () => null,
      maxOpen: 1,
      idleMs: 1_000,
      now: () => performance.now(),
    });
    expect(() => pools.channelFor(server, 'a', null)).toThrow('no more files');
    expect(pools.openCount).toBe(0);
  });
});
