// One query sent over one socket or connection, and what can become of it.
import { isIPv6 } from 'node:net';
import type { DnsServer } from '../../../contracts/dns-server.ts';

export type Transport = DnsServer['transport'];

/** Why an exchange ended without a reply. */
export type ExchangeFault = 'CONN_REFUSED' | 'NETWORK_ERROR' | 'MALFORMED' | 'AGENT_OVERLOADED';

export type Exchange = {
  readonly listener: ExchangeListener;
  readonly channel: Channel;
  readonly transport: Transport;
  /** The DNS message without any framing; its id is set when it is sent. */
  readonly message: Buffer;
  readonly hasEdns: boolean;
  /** When it was handed to the channel, in milliseconds of the monotonic clock. */
  sentAt: number;
  /** Matching replies that could not be read. */
  malformedReplies: number;
  /** Of the latest reply: how long it may have lain unread at most, milliseconds. */
  lagMs: number;
  /** Belongs to the channel: it may still get its reply. */
  isOpen: boolean;
};

export type ExchangeListener = {
  /** The query was handed to the system: at once over UDP, over TCP when the connection stands. */
  onSent(sentAt: number): void;
  /** A message with the exchange's id and question came in. The exchange stays open until the listener ends it. */
  onReply(exchange: Exchange, reply: Buffer, receivedAt: number): void;
  /**
   * The exchange is over: its socket or connection failed. `isExcused` when that is no failure of this query and asking
   * again makes progress: the server closed a connection that had carried others too, or sockets ran out here and some
   * were freed.
   */
  onFault(exchange: Exchange, fault: ExchangeFault, isExcused: boolean): void;
};

/** Whether an exchange that its listener ends had its reply; tells later messages with its id apart. */
export type ExchangeEnd = 'answered' | 'given-up';

/** A socket or connection to one server, shared by many exchanges at a time. */
export type Channel = {
  readonly inFlight: number;
  readonly lastUsedAt: number;
  /** True when no further query may be sent over it. */
  isSpent(time: number): boolean;
  send(exchange: Exchange): void;
  end(exchange: Exchange, how: ExchangeEnd): void;
  /** Takes no more queries; is closed soon after none is in flight. */
  retire(): void;
  /** Closes at once; exchanges still open hear nothing more. Idempotent. */
  close(): Promise<void>;
};

/** What was sent, and what arrived that was not the reply of an open exchange, since the engine was created. */
export type ExchangeCounters = {
  sent: number;
  /** Messages read, whatever they were. */
  received: number;
  /** Unknown id, or another question under a known id. */
  mismatched: number;
  /** Replies of exchanges that had been given up. */
  late: number;
  /** Further replies of exchanges that had been answered. */
  duplicate: number;
  /** Matching replies that could not be read. */
  malformed: number;
};

/** Faults of this machine rather than of the way to the server: it is short of sockets, ports or memory. */
const localCodes = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL', 'EAGAIN']);

/** The fault that a system error of a socket stands for. */
export function faultOf(error: unknown): ExchangeFault {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (code === 'ECONNREFUSED') return 'CONN_REFUSED';
  // Over IPv6 it means that this machine has no address of that family: no way to the server, and no lack of ports.
  if (
    code === 'EADDRNOTAVAIL' &&
    error instanceof Error &&
    'address' in error &&
    isIPv6(String(error.address))
  )
    return 'NETWORK_ERROR';
  return localCodes.has(code) ? 'AGENT_OVERLOADED' : 'NETWORK_ERROR';
}
