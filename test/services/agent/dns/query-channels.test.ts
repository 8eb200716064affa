// Opening, sharing, replacing and closing of channels, with channels that only count.
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { DnsServer } from '../../../../contracts/dns-server.ts';
import {
  type ChannelHooks,
  type ChannelPools,
  createChannelPools,
} from '../../../../services/agent/dns/query-channels.ts';
import type { Channel } from '../../../../services/agent/dns/query-exchange.ts';

type Counting = Channel & { inFlight: number; lastUsedAt: number; isSpentNow: boolean; isClosed: boolean };

const server: DnsServer = { transport: 'udp', address: '127.0.0.1', family: 4, port: 53 };

function openCounting(hooks: ChannelHooks, retired: Counting[]): Counting {
  const channel: Counting = {
    inFlight: 0,
    lastUsedAt: performance.now(),
    isSpentNow: false,
    isClosed: false,
    isSpent: () => channel.isSpentNow,
    send: () => undefined,
    end: () => undefined,
    retire: () => {
      retired.push(channel);
      hooks.onRetired(channel);
      if (channel.inFlight === 0) hooks.onDrained(channel);
    },
    async close() {
      channel.isClosed = true;
      hooks.onClosed(channel);
    },
  };
  return channel;
}

type Setup = {
  maxOpen?: number;
  idleMs?: number;
  descriptors?: number;
  errorCode?: string;
  now?: () => number;
};

/** With `descriptors` so many channels can be open before opening one throws. */
function setUp({
  maxOpen = 10,
  idleMs = 60_000,
  descriptors = Infinity,
  errorCode = 'EMFILE',
  now = () => performance.now(),
}: Setup = {}) {
  const opened: Counting[] = [];
  const retired: Counting[] = [];
  const hooks: ChannelHooks[] = [];
  const kind = {
    open(_server: DnsServer, _serverKey: string, channelHooks: ChannelHooks) {
      if (opened.filter(({ isClosed }) => !isClosed).length >= descriptors)
        throw Object.assign(new Error('no socket'), { code: errorCode });
      const channel = openCounting(channelHooks, retired);
      opened.push(channel);
      hooks.push(channelHooks);
      return channel;
    },
    pick: (channels: readonly Channel[], avoid: Channel | null) =>
      channels.find((channel) => channel !== avoid) ?? null,
  };
  const pools = createChannelPools({ kinds: { udp: kind, tcp: kind }, maxOpen, idleMs, now });
  onTestFinished(() => pools.stop());
  return {
    opened,
    retired,
    hooks,
    pools,
    udp: (key: string, avoid: Channel | null = null) =>
      pools.channelFor('udp', server, key, avoid, performance.now()),
    tcp: (key: string) => pools.channelFor('tcp', server, key, null, performance.now()),
    at(index: number): Counting {
      const channel = opened[index];
      if (channel === undefined) throw new Error(`only ${opened.length} were opened`);
      return channel;
    },
  };
}

const openCount = (pools: ChannelPools) => pools.openCount('udp') + pools.openCount('tcp');
const nextTurn = () => new Promise(setImmediate);

describe('createChannelPools', () => {
  test('shares a channel between queries to one server, not between servers or transports', () => {
    const { opened, pools, udp, tcp } = setUp();
    const first = udp('a');
    expect(udp('a')).toBe(first);
    expect(udp('b')).not.toBe(first);
    expect(tcp('a')).not.toBe(first);
    expect(opened).toHaveLength(3);
    expect([pools.openCount('udp'), pools.openCount('tcp')]).toEqual([2, 1]);
  });

  test('opens another channel beside the one to avoid', () => {
    const { pools, udp } = setUp();
    const first = udp('a');
    expect(udp('a', first)).not.toBe(first);
    expect(pools.openCount('udp')).toBe(2);
  });

  test('replaces a spent channel and closes it when its last query has ended', async () => {
    const { pools, udp, at } = setUp();
    udp('a');
    const spent = at(0);
    spent.isSpentNow = true;
    spent.inFlight = 1;
    expect(udp('a')).not.toBe(spent);
    await nextTurn();
    expect(spent.isClosed).toBe(false);
    expect(pools.openCount('udp')).toBe(2);
    spent.inFlight = 0;
    spent.retire();
    await nextTurn();
    expect(pools.openCount('udp')).toBe(1);
  });

  test('closes drained channels in later turns, for a quarter of a millisecond each', async () => {
    let time = 0;
    const { opened, udp } = setUp({ now: () => (time += 0.1) });
    for (let index = 0; index < 7; index++) udp(`s${index}`);
    for (const channel of opened) channel.retire();
    const counts: number[] = [];
    for (let turn = 0; turn < 4; turn++) {
      counts.push(opened.filter(({ isClosed }) => isClosed).length);
      await nextTurn();
    }
    expect(counts).toEqual([0, 3, 6, 7]);
  });

  test('closes an idle channel of either transport to stay within its limit', () => {
    const { pools, udp, tcp, at } = setUp({ maxOpen: 3 });
    udp('a');
    tcp('b');
    udp('c');
    at(0).inFlight = 1;
    udp('d');
    expect([at(0).isClosed, at(1).isClosed]).toEqual([false, true]);
    expect(openCount(pools)).toBe(3);
  });

  test('asks thousands of servers without holding more channels than its limit', () => {
    const { opened, pools, udp, tcp } = setUp({ maxOpen: 50 });
    for (let index = 0; index < 2_500; index++) {
      udp(`s${index}`);
      tcp(`s${index}`);
    }
    expect(opened).toHaveLength(5_000);
    expect(openCount(pools)).toBe(50);
  });

  test('closes channels that were idle for a while, and none that is busy or was used lately', async () => {
    const { retired, udp, at } = setUp({ idleMs: 30 });
    for (const key of ['busy', 'fresh', 'idle']) udp(key);
    at(0).inFlight = 1;
    at(1).lastUsedAt = Infinity;
    await vi.waitFor(() => expect(at(2).isClosed).toBe(true), { timeout: 2_000, interval: 5 });
    expect(retired).toEqual([at(2)]);
  });

  test('closes idle channels and opens once more when the system has no socket left', () => {
    const { pools, udp, tcp, at } = setUp({ maxOpen: 1_000, descriptors: 40 });
    for (let index = 0; index < 20; index++) {
      udp(`s${index}`);
      tcp(`s${index}`);
    }
    at(0).inFlight = 1;
    expect(udp('next').isSpent(0)).toBe(false);
    expect(at(0).isClosed).toBe(false);
    // Some more than one, since the rest of the process is short as well.
    expect(openCount(pools)).toBe(40 - 32 + 1);
  });

  test('makes room for a connection that learns late that there is no socket', () => {
    const { hooks, udp, tcp, at } = setUp();
    udp('idle');
    tcp('late');
    at(1).inFlight = 1;
    expect(hooks[1]?.makeRoom()).toBe(true);
    expect([at(0).isClosed, at(1).isClosed]).toEqual([true, false]);
    expect(hooks[1]?.makeRoom()).toBe(false);
  });

  test('passes on the error when there is nothing to close', () => {
    const { pools, udp } = setUp({ descriptors: 0 });
    expect(() => udp('a')).toThrow('no socket');
    expect(openCount(pools)).toBe(0);
  });

  test('closes nothing for an error that is not a lack of sockets', () => {
    const { udp, at } = setUp({ descriptors: 1, errorCode: 'ENETUNREACH' });
    udp('a');
    expect(() => udp('b')).toThrow('no socket');
    expect(at(0).isClosed).toBe(false);
  });
});
