// A pipelined TCP connection to one server, shared by many queries (RFC 7766).
import { connect } from 'node:net';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import type { ChannelHooks } from './query-channels.ts';
import {
  type Channel,
  type Exchange,
  type ExchangeCounters,
  type ExchangeFault,
  faultOf,
} from './query-exchange.ts';
import { createLedger } from './query-ledger.ts';
import type { ServerMemory } from './server-memory.ts';
import { createFrameReader, frameMessage } from './tcp-frames.ts';

/** A connection is replaced after this many queries (one with a server that closes); ids are used once in its life. */
const maxQueries = 16_384;
/** A close later than this after the last reply is that of an idle connection. */
const quickCloseMs = 1_000;
/** A server that sends this much in a row that is no reply is cut off. */
const maxJunkMessages = 16;
const maxJunkOctets = 128 * 1024;

export type TcpConnectionDeps = {
  /** Servers that take one query per connection. */
  closers: ServerMemory;
  serverKey: string;
  randomId: () => number;
  counters: ExchangeCounters;
  now: () => number;
};

/**
 * Opens a connection; queries may be sent at once, they leave when it is established. Replies are taken in any order.
 * When the connection fails all its exchanges do: CONN_REFUSED, NETWORK_ERROR (reset, closed early, no route),
 * MALFORMED (the server sent junk) or AGENT_OVERLOADED (no socket to be had). They are excused where a connection
 * was cut that had carried several.
 */
export function openTcpConnection(server: DnsServer, hooks: ChannelHooks, deps: TcpConnectionDeps): Channel {
  const { closers, serverKey, counters, now } = deps;
  const ledger = createLedger(deps);
  const socket = connect({ host: server.address, port: server.port, family: server.family, noDelay: true });
  let lastUsedAt = now();
  let lastHeardAt = -Infinity;
  let hasSent = false;
  let replyCount = 0;
  let lastReplyAt = Infinity;
  let isRetired = false;
  let hasEnded = false;
  let junkMessages = 0;
  let junkOctets = 0;

  socket.on('data', createFrameReader(onMessage));
  // A server that closes its side answers nothing more; what it had sent before was read by then.
  socket.on('end', () => fail('NETWORK_ERROR'));
  socket.on('error', onError);
  socket.on('close', () => fail('NETWORK_ERROR'));

  function onError(error: Error): void {
    const fault = faultOf(error);
    // Unlike UDP, a connection is told later that there was no socket for it.
    fail(fault, fault === 'AGENT_OVERLOADED' && hooks.makeRoom());
  }

  function onMessage(message: Buffer): boolean {
    const time = now();
    lastHeardAt = time;
    const received = ledger.receive(message, time);
    if (received === 'taken') {
      replyCount++;
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

  function fail(fault: ExchangeFault, isExcused = false): void {
    if (hasEnded) return;
    // One of several queries may have been too many, or may have brought the server down: each is asked alone then.
    const isCut = fault === 'NETWORK_ERROR' && hasSent && ledger.usedCount > 1;
    const isQuick = now() - lastReplyAt < quickCloseMs;
    if (isCut && isQuick && replyCount <= 1 && ledger.openCount > 0) closers.remember(serverKey);
    void channel.close();
    ledger.failAll(fault, isExcused || isCut);
  }

  function tellIfDrained(): void {
    if (isRetired && ledger.openCount === 0) hooks.onDrained(channel);
  }

  function onWritten(exchange: Exchange): void {
    counters.sent++;
    hasSent = true;
    exchange.listener.onSent(now());
  }

  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const channel: Channel = {
    get inFlight() {
      return ledger.openCount;
    },
    get lastUsedAt() {
      return lastUsedAt;
    },
    isSpent: () => ledger.usedCount >= (closers.has(serverKey) ? 1 : maxQueries),
    send(exchange) {
      ledger.open(exchange);
      lastUsedAt = exchange.sentAt = now();
      socket.write(frameMessage(exchange.message), (error) => {
        // What became of it otherwise is told by 'error' or 'close'.
        if (error === null || error === undefined) onWritten(exchange);
      });
    },
    end(exchange, how) {
      ledger.end(exchange, how);
      // Nothing at all since that query: the connection may be dead without either side being told.
      if (how === 'given-up' && lastHeardAt < exchange.sentAt) channel.retire();
      tellIfDrained();
    },
    retire() {
      if (!isRetired) hooks.onRetired(channel);
      isRetired = true;
      tellIfDrained();
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
