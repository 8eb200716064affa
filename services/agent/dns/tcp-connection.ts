// A pipelined TCP connection to one server, shared by many queries (RFC 7766).
import { connect } from 'node:net';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import type { ChannelHooks } from './query-channels.ts';
import { type Channel, type ExchangeCounters, type ExchangeFault, faultOf } from './query-exchange.ts';
import { createLedger } from './query-ledger.ts';
import { createFrameReader, frameMessage } from './tcp-frames.ts';

/** A connection is replaced after this many queries; ids are used once per connection. */
const maxQueries = 16_384;
/** A server that sends this much in a row that is no reply is cut off. */
const maxJunkMessages = 16;
const maxJunkOctets = 128 * 1024;

export type TcpConnectionDeps = { randomId: () => number; counters: ExchangeCounters; now: () => number };

/**
 * Opens a connection; queries may be sent at once, they leave when it is established. Replies are taken in any order.
 * When the connection fails all its exchanges do: CONN_REFUSED, NETWORK_ERROR (reset, closed early, no route) or
 * MALFORMED (the server sent junk).
 */
export function openTcpConnection(server: DnsServer, hooks: ChannelHooks, deps: TcpConnectionDeps): Channel {
  const { counters, now } = deps;
  const ledger = createLedger(deps);
  const socket = connect({ host: server.address, port: server.port, family: server.family, noDelay: true });
  let lastUsedAt = now();
  let lastHeardAt = -Infinity;
  let lastReplyAt = -Infinity;
  let isRetired = false;
  let hasEnded = false;
  let junkMessages = 0;
  let junkOctets = 0;

  socket.on('data', createFrameReader(onMessage));
  // A server that closes its side answers nothing more; what it had sent before was read by then.
  socket.on('end', () => fail('NETWORK_ERROR'));
  socket.on('error', (error) => fail(faultOf(error)));
  socket.on('close', () => fail('NETWORK_ERROR'));

  function onMessage(message: Buffer): boolean {
    const time = now();
    lastHeardAt = time;
    const received = ledger.receive(message, time);
    if (received === 'taken') {
      lastReplyAt = time;
      junkMessages = 0;
      junkOctets = 0;
    } else if (received === 'junk') {
      junkMessages++;
      junkOctets += message.length;
      if (junkMessages >= maxJunkMessages || junkOctets >= maxJunkOctets) fail('MALFORMED');
    }
    return !hasEnded;
  }

  function fail(fault: ExchangeFault): void {
    if (hasEnded) return;
    void channel.close();
    ledger.failAll(fault, lastReplyAt);
  }

  function closeIfDone(): void {
    if (isRetired && ledger.openCount === 0) void channel.close();
  }

  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const channel: Channel = {
    get inFlight() {
      return ledger.openCount;
    },
    get lastUsedAt() {
      return lastUsedAt;
    },
    isSpent: () => ledger.usedCount >= maxQueries,
    send(exchange) {
      ledger.open(exchange);
      counters.sent++;
      lastUsedAt = exchange.sentAt = now();
      socket.write(frameMessage(exchange.message));
    },
    end(exchange, how) {
      ledger.end(exchange, how);
      // Nothing at all since that query: the connection may be dead without either side being told.
      if (how === 'given-up' && lastHeardAt < exchange.sentAt) channel.retire();
      closeIfDone();
    },
    retire() {
      if (!isRetired) hooks.onRetired(channel);
      isRetired = true;
      closeIfDone();
    },
    close() {
      if (!hasEnded) {
        hasEnded = true;
        socket.destroy();
        hooks.onClosed(channel);
      }
      return closed;
    },
  };
  return channel;
}
