// The life of one query: tries, replies, truncation, EDNS fallback, and the one resolution it ends with.
import type { Flow, Waiter } from './admission.ts';
import { encodeQuery } from './encode-query.ts';
import { isTruncated } from './match-reply.ts';
import { planTries } from './plan-tries.ts';
import type { ChannelPools } from './query-channels.ts';
import {
  type Channel,
  type Exchange,
  type ExchangeCounters,
  type ExchangeFault,
  type ExchangeListener,
  faultOf,
  type Transport,
} from './query-exchange.ts';
import type { DnsQuery, Resolution } from './query-resolution.ts';
import { type DnsReply, readReply } from './read-reply.ts';
import type { ServerMemory } from './server-memory.ts';
import type { TimerEntry, TimerHeap } from './timer-heap.ts';

export type QueryRunDeps = {
  now: () => number;
  timers: TimerHeap<QueryRun>;
  pools: ChannelPools;
  /** Servers that answer without EDNS and not with it. */
  plainServers: ServerMemory;
  counters: ExchangeCounters;
  /** Milliseconds that a message handled right now may have waited unread. */
  stalledMs: () => number;
  /** Called once, before the resolution is handed out. */
  onSettled(run: QueryRun): void;
};

/** A reply to fall back on when what it made us try instead fails. */
type HeldReply = { exchange: Exchange; reply: Buffer; receivedAt: number };

const formerr = 1;
const notimp = 4;
/** Unreadable replies with the right id and question are read this often for one try, then ignored unread. */
const maxMalformedRead = 8;

/** A server asked for less than this (or half of a shorter budget) would be blamed for the time the query waited here. */
const minAskingMs = 50;
/** A query with a shorter delay was sent after the stall, not before it. */
const minStalledDelayMs = 100;

// Most queries have one try: an array that is pushed to takes room for seventeen.
const none: readonly Exchange[] = [];

/** A class because there is one per query: methods on the prototype instead of a dozen closures each. */
export class QueryRun implements Waiter, TimerEntry, ExchangeListener {
  readonly query: DnsQuery;
  readonly lane: string | number;
  readonly serverKey: string;
  isWaiting = false;
  flow: Flow | undefined = undefined;
  dueAt = 0;
  heapIndex = -1;
  /** Not sent when it gets its place later than this; once it has one, when its server has no time left to answer. */
  startBy: number;
  private deadlineAt: number;
  private readonly askingMs: number | undefined;
  private readonly deps: QueryRunDeps;
  private readonly onResolution: (resolution: Resolution) => void;
  private isSettled = false;
  private transport: Transport;
  private useEdns = true;
  private plan: readonly number[] = [];
  /** Tries of `plan` begun. */
  private attempt = 0;
  private tries = 0;
  private firstSentAt = Infinity;
  /** Tries still listened to. */
  private open: readonly Exchange[] = none;
  /** The last try begun, null before the first of a plan. */
  private current: Exchange | null = null;
  /** How the current try failed, if it did. */
  private fault: ExchangeFault | null = null;
  private isTruncated = false;
  private sawMalformed = false;
  private held: HeldReply | null = null;

  constructor(
    {
      query,
      lane,
      serverKey,
      deadlineAt,
      askingMs,
    }: {
      query: DnsQuery;
      lane: string | number;
      serverKey: string;
      deadlineAt: number;
      askingMs?: number | undefined;
    },
    onResolution: (resolution: Resolution) => void,
    deps: QueryRunDeps,
  ) {
    this.query = query;
    this.lane = lane;
    this.serverKey = serverKey;
    this.onResolution = onResolution;
    this.deadlineAt = deadlineAt;
    this.askingMs = askingMs;
    const budgetMs = Math.max(deadlineAt - deps.now(), 0);
    this.startBy = askingMs === undefined ? latestStart(deadlineAt, budgetMs) : deadlineAt;
    this.deps = deps;
    this.transport = query.server.transport;
  }

  onGranted(time: number): void {
    this.useEdns = !this.deps.plainServers.has(this.serverKey);
    const isInTime = time <= this.startBy;
    if (this.askingMs !== undefined) {
      this.deadlineAt = time + this.askingMs;
      this.startBy = latestStart(this.deadlineAt, this.askingMs);
    }
    if (isInTime && this.begin(this.transport, time)) return;
    this.settleEmpty('AGENT_OVERLOADED');
  }

  onDue(): void {
    if (this.isWaiting) this.settleEmpty('AGENT_OVERLOADED');
    else if (this.hasNextTry()) this.sendTry(this.deps.now());
    else this.finish();
  }

  onSent(sentAt: number): void {
    if (this.isSettled) return;
    this.tries++;
    this.firstSentAt = Math.min(this.firstSentAt, sentAt);
  }

  onReply(exchange: Exchange, reply: Buffer, receivedAt: number): void {
    const delayMs = receivedAt - exchange.sentAt;
    exchange.lagMs = delayMs >= minStalledDelayMs ? Math.min(this.deps.stalledMs(), delayMs) : 0;
    if (exchange.transport === 'udp' && isTruncated(reply)) {
      this.isTruncated = true;
      this.held = { exchange, reply, receivedAt };
      this.startOver(exchange, 'tcp');
      return;
    }
    if (exchange.malformedReplies >= maxMalformedRead) return;
    const read = readReply(reply);
    if (read.kind === 'malformed') {
      exchange.malformedReplies++;
      this.sawMalformed = true;
      this.deps.counters.malformed++;
      return;
    }
    const { rcode } = read.reply;
    const isRefusedForm = rcode === formerr || rcode === notimp;
    if (isRefusedForm && exchange.hasEdns) {
      // RFC 6891 section 7: a server that does not know EDNS. A cut reply is the better one to fall back on.
      this.held ??= { exchange, reply, receivedAt };
      this.useEdns = false;
      this.startOver(exchange, exchange.transport);
      return;
    }
    if (!isRefusedForm && !exchange.hasEdns) this.deps.plainServers.remember(this.serverKey);
    this.settleWithReply(exchange, receivedAt, read.reply);
  }

  onFault(exchange: Exchange, fault: ExchangeFault, isExcused: boolean): void {
    if (this.isSettled) return;
    this.open = this.open.filter((each) => each !== exchange);
    if (exchange === this.current) {
      if (isExcused) this.attempt--;
      this.failTry(fault);
    }
    // An earlier try that fails while the last one is out changes nothing; the end of the last one does.
    else if (this.open.length === 0 && this.fault !== null) this.finish();
  }

  /** Ends the query at once, without a reply. */
  settleEmpty(status: string): void {
    this.settle(null, {
      status,
      delayMs: null,
      lagMs: 0,
      transport: this.transport,
      truncated: this.isTruncated,
      tries: this.tries,
      flags: [],
      answer: [],
      authority: [],
      additional: [],
    });
  }

  /** Plans and sends tries for the time that is left; false when there is none. */
  private begin(transport: Transport, time: number): boolean {
    this.transport = transport;
    this.plan = planTries(this.deadlineAt - time);
    this.attempt = 0;
    this.current = null;
    if (this.plan.length === 0) return false;
    this.sendTry(time);
    return true;
  }

  /** A reply asks for another way: TCP, or no EDNS. The time that is left gets tries of its own. */
  private startOver(answered: Exchange, transport: Transport): void {
    this.endOpen(answered);
    if (!this.begin(transport, this.deps.now())) this.finish();
  }

  private sendTry(time: number): void {
    const { timers, pools } = this.deps;
    const { server, name, rtype } = this.query;
    const waitMs = this.plan[this.attempt] ?? 0;
    this.attempt++;
    this.fault = null;
    const isLast = this.attempt === this.plan.length;
    timers.set(this, isLast ? this.deadlineAt : Math.min(time + waitMs, this.deadlineAt));
    let channel: Channel;
    try {
      channel = pools.channelFor(this.transport, server, this.serverKey, this.current?.channel ?? null, time);
    } catch (error) {
      this.failTry(faultOf(error));
      return;
    }
    const exchange: Exchange = {
      listener: this,
      channel,
      transport: this.transport,
      message: encodeQuery({ id: 0, name, rtype, edns: this.useEdns }),
      hasEdns: this.useEdns,
      sentAt: 0,
      malformedReplies: 0,
      lagMs: 0,
      isOpen: false,
    };
    this.current = exchange;
    this.open = this.open.length === 0 ? [exchange] : [...this.open, exchange];
    channel.send(exchange);
  }

  /** After a stall of the event loop the deadline may have passed with tries left. */
  private hasNextTry(): boolean {
    return this.attempt < this.plan.length && this.deps.now() < this.deadlineAt;
  }

  private failTry(fault: ExchangeFault): void {
    this.fault = fault;
    if (this.hasNextTry()) this.sendTry(this.deps.now());
    // A closed port will not answer the first try either; other faults may be of one path or connection only.
    else if (fault === 'CONN_REFUSED' || this.open.length === 0) this.finish();
  }

  /** Ends the query when no usable reply will come any more. */
  private finish(): void {
    if (this.held === null) {
      this.settleEmpty(this.sawMalformed ? 'MALFORMED' : (this.fault ?? this.silence()));
      return;
    }
    const { exchange, reply, receivedAt } = this.held;
    const read = readReply(reply, { allowCut: true });
    if (read.kind === 'reply') this.settleWithReply(exchange, receivedAt, read.reply);
    else this.settleEmpty('MALFORMED');
  }

  /** Whose fault it is that no reply came: ours when we stood still until the server had no time left to answer. */
  private silence(): string {
    const isLate = this.deps.now() - this.deadlineAt > minAskingMs;
    return isLate && this.firstSentAt > this.startBy ? 'AGENT_OVERLOADED' : 'TIMEOUT';
  }

  private settleWithReply(exchange: Exchange, receivedAt: number, reply: DnsReply): void {
    const { status, truncated, flags, answer, authority, additional } = reply;
    this.settle(exchange, {
      status,
      delayMs: receivedAt - exchange.sentAt,
      lagMs: exchange.lagMs,
      transport: exchange.transport,
      truncated: this.isTruncated || truncated,
      tries: this.tries,
      flags,
      answer,
      authority,
      additional,
    });
  }

  private settle(answered: Exchange | null, resolution: Resolution): void {
    if (this.isSettled) return;
    this.isSettled = true;
    this.deps.onSettled(this);
    this.endOpen(answered);
    try {
      this.onResolution(resolution);
    } catch (fault) {
      // A bug of the caller: told where all of them are, and not in the midst of a turn that other queries wait for.
      queueMicrotask(() => {
        throw fault;
      });
    }
  }

  private endOpen(answered: Exchange | null): void {
    const { open } = this;
    this.open = none;
    for (const exchange of open)
      exchange.channel.end(exchange, exchange === answered ? 'answered' : 'given-up');
  }
}

function latestStart(deadlineAt: number, budgetMs: number): number {
  return deadlineAt - Math.min(minAskingMs, budgetMs / 2);
}
