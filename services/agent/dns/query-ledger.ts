// The ids of one socket or connection: which are in flight, which were used, whose a message is.

import { isReplyTo } from './match-reply.ts';
import type { Exchange, ExchangeCounters, ExchangeEnd, ExchangeFault } from './query-exchange.ts';

/** `taken` as the reply of an open exchange; `late` for one given up, once each; anything else is `junk`. */
export type Received = 'taken' | 'late' | 'junk';

export type Ledger = {
  /** Exchanges in flight. */
  readonly openCount: number;
  /** Ids used since the ledger was created. */
  readonly usedCount: number;
  /** Opens an exchange: writes a fresh random id into its message. */
  open(exchange: Exchange): void;
  /** Closes an exchange; no effect on one that is not open. */
  end(exchange: Exchange, how: ExchangeEnd): void;
  /** Hands a message to the exchange it answers, or counts it. */
  receive(message: Buffer, receivedAt: number): Received;
  /** Closes all exchanges and tells their listeners. */
  failAll(fault: ExchangeFault, isExcused?: boolean): void;
};

export type LedgerDeps = { randomId: () => number; counters: ExchangeCounters };

/**
 * Creates the ledger of one socket. An id is used once in the life of a socket: a late reply of an earlier query can
 * then never pass for the reply of a new one. Owners retire a socket long before the 65,536 ids are used up.
 */
export function createLedger({ randomId, counters }: LedgerDeps): Ledger {
  // One entry per id, overwritten in place: deleting and inserting makes a Map reallocate all the time, and its dead
  // tables keep finished exchanges alive through several garbage collections.
  const states = new Map<number, Exchange | ExchangeEnd>();
  let openCount = 0;

  function receiveUnasked(id: number, state: ExchangeEnd | undefined): Received {
    if (state === 'given-up') {
      counters.late++;
      states.set(id, 'answered');
      return 'late';
    }
    if (state === 'answered') counters.duplicate++;
    else counters.mismatched++;
    return 'junk';
  }

  return {
    get openCount() {
      return openCount;
    },
    get usedCount() {
      return states.size;
    },
    open(exchange) {
      let id = randomId();
      while (states.has(id)) id = randomId();
      exchange.message.writeUInt16BE(id, 0);
      exchange.isOpen = true;
      states.set(id, exchange);
      openCount++;
    },
    end(exchange, how) {
      if (!exchange.isOpen) return;
      exchange.isOpen = false;
      states.set(exchange.message.readUInt16BE(0), how);
      openCount--;
    },
    receive(message, receivedAt) {
      counters.received++;
      const id = message.length < 2 ? -1 : message.readUInt16BE(0);
      const state = states.get(id);
      if (typeof state !== 'object') return receiveUnasked(id, state);
      if (!isReplyTo(message, state.message)) {
        counters.mismatched++;
        return 'junk';
      }
      state.listener.onReply(state, message, receivedAt);
      return state.isOpen ? 'junk' : 'taken';
    },
    failAll(fault, isExcused = false) {
      const failed: Exchange[] = [];
      for (const [id, state] of states) {
        if (typeof state !== 'object') continue;
        failed.push(state);
        state.isOpen = false;
        states.set(id, 'given-up');
      }
      openCount = 0;
      for (const exchange of failed) exchange.listener.onFault(exchange, fault, isExcused);
    },
  };
}
