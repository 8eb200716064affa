// A connected UDP socket to one server, shared by many queries.
import { createSocket } from 'node:dgram';
import type { DnsServer } from '../../../contracts/dns-server.ts';
import type { ChannelHooks } from './query-channels.ts';
import { type Channel, type ExchangeCounters, faultOf } from './query-exchange.ts';
import { createLedger } from './query-ledger.ts';
import type { ReceiveBuffer } from './udp-receive-buffer.ts';

/** A socket is replaced after this many queries or this time, so that source ports keep changing (RFC 5452). */
const maxQueries = 1024;
const maxAgeMs = 60_000;

export type UdpSocketDeps = {
  receiveBuffer: ReceiveBuffer;
  randomId: () => number;
  counters: ExchangeCounters;
  now: () => number;
};

/**
 * Opens a socket on a random port and connects it: the kernel then drops what comes from elsewhere and reports a
 * closed port. Throws the system's error when there is no way to the server or no socket to be had.
 */
export function openUdpSocket(server: DnsServer, hooks: ChannelHooks, deps: UdpSocketDeps): Channel {
  const { receiveBuffer, counters, now } = deps;
  const ledger = createLedger(deps);
  const socket = createSocket(server.family === 6 ? 'udp6' : 'udp4');
  socket.on('message', (message) => ledger.receive(message, now()));
  socket.on('error', onError);
  try {
    socket.connectSync(server.port, server.address);
    receiveBuffer.apply(socket);
  } catch (error) {
    socket.close();
    throw error;
  }
  const openedAt = now();
  let lastUsedAt = openedAt;
  let isRetired = false;
  let closing: Promise<void> | null = null;

  // A refusal may come as an error of the socket or of a later, innocent send; it cannot be told which query it
  // answers. They all went to the same port of the same server, so it is taken for all that are in flight here.
  function onError(error: Error): void {
    const fault = faultOf(error);
    if (fault !== 'CONN_REFUSED') channel.retire();
    ledger.failAll(fault);
    tellIfDrained();
  }

  function onSendDone(error: Error | null): void {
    if (error !== null && closing === null) onError(error);
  }

  function tellIfDrained(): void {
    if (isRetired && ledger.openCount === 0) hooks.onDrained(channel);
  }

  const channel: Channel = {
    get inFlight() {
      return ledger.openCount;
    },
    get lastUsedAt() {
      return lastUsedAt;
    },
    isSpent: (time) => ledger.usedCount >= maxQueries || time - openedAt >= maxAgeMs,
    send(exchange) {
      ledger.open(exchange);
      counters.sent++;
      lastUsedAt = exchange.sentAt = now();
      socket.send(exchange.message, onSendDone);
      exchange.listener.onSent(exchange.sentAt);
    },
    end(exchange, how) {
      ledger.end(exchange, how);
      tellIfDrained();
    },
    retire() {
      if (!isRetired) hooks.onRetired(channel);
      isRetired = true;
      tellIfDrained();
    },
    close() {
      if (closing === null) {
        closing = new Promise((resolve) => socket.close(() => resolve()));
        hooks.onClosed(channel);
      }
      return closing;
    },
  };
  return channel;
}
