// What the engine is asked and what it answers.
import type { DnsServer } from '../../../contracts/dns-server.ts';
import type { SectionRecord } from '../../../contracts/probe.ts';
import type { Transport } from './query-exchange.ts';

/** One question to one server; `name` in uncompressed wire form. */
export type DnsQuery = { server: DnsServer; name: Uint8Array; rtype: number };

/** What came of a query. */
export type Resolution = {
  /** Name of the rcode when a reply was read; else TIMEOUT, CONN_REFUSED, NETWORK_ERROR, MALFORMED or AGENT_OVERLOADED. */
  status: string;
  /**
   * Milliseconds from sending the try that was answered to its reply, including the set-up of a TCP connection where
   * one had to be opened; null when nothing usable came back.
   */
  delayMs: number | null;
  /**
   * How much of the delay may be our own: milliseconds that the reply may have lain unread because the event loop
   * stood still. 0 as a rule; otherwise the true delay lies between `delayMs - lagMs` and `delayMs`.
   */
  lagMs: number;
  /** Of the try that was answered, else of the last one. */
  transport: Transport;
  /** A truncated reply was seen. Its records are those of the TCP reply, or the cut ones if TCP failed. */
  truncated: boolean;
  /** Queries sent; one that waits for a TCP connection is not. */
  tries: number;
  flags: string[];
  answer: SectionRecord[];
  authority: SectionRecord[];
  additional: SectionRecord[];
};
