// Answers requests: decode, parse, bounded concurrency, reply or coded error. Nothing leaves a caller without a reply.
import { decodeRequest } from '../../contracts/decode.ts';
import { errorCatalog, formatErrorReply, ProbeTaskError } from '../../contracts/errors.ts';
import { type RpcName, type RpcRequest, rpcs } from '../../contracts/rpc.ts';
import { headers, isReplySubject } from '../../contracts/subjects.ts';
import type { Component } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { StallClock } from '../stall-clock.ts';
import type { Bus, BusMessage, Subscription } from './bus.ts';
import { requestId } from './request-id.ts';
import { createServiceProtocol, type EndpointStats, type ServiceIdentity } from './service-protocol.ts';

export type RequestContext = {
  requestId: string;
  logger: Logger;
  /** `performance.now()` when the message arrived; every deadline counts from here. */
  receivedAt: number;
};

/** `encoded`: a body that is JSON in UTF-8 already; it is not changed. */
export type Reply = ({ body: unknown } | { encoded: Uint8Array }) & { headers?: Record<string, string> };

export type Endpoint = {
  name: RpcName;
  subject: string;
  /** Requests held at once; one more is answered `OVERLOADED`. */
  maxConcurrent: number;
  answer(body: Uint8Array, context: RequestContext): Promise<Reply>;
};

/** Longer than callers wait for a reply by default: what is older is not worth doing, least of all a write. */
const staleMs = 10_000;

/** Binds a call of the contract to its handler, which gets the parsed request. */
export function defineEndpoint<Name extends RpcName>(
  name: Name,
  maxConcurrent: number,
  handle: (request: RpcRequest<Name>, context: RequestContext) => Promise<Reply>,
): Endpoint {
  const rpc = rpcs[name];
  return {
    name,
    subject: rpc.subject,
    maxConcurrent,
    answer: async (body, context) => handle(decodeRequest(rpc, body), context),
  };
}

/**
 * Serves the endpoints as members of `queue`, and the NATS service protocol beside them. `stop` takes no further
 * requests and resolves when those in flight have been answered.
 */
export function createRpcServer(options: {
  bus: Bus;
  queue: string;
  service: ServiceIdentity;
  endpoints: Endpoint[];
  stallClock: StallClock;
  metrics: Metrics;
  logger: Logger;
}): Component & { isServing(): boolean } {
  const { bus, queue, service, endpoints, stallClock, metrics, logger } = options;
  const requests = metrics.counter('probe_rpc_requests_total', 'Requests answered, by code', [
    'subject',
    'code',
  ]);
  const latency = metrics.latency('probe_rpc_duration_seconds', 'From arrival to reply', ['subject']);
  const inFlight = new Set<Promise<void>>();
  metrics.gauge('probe_rpc_in_flight', 'Requests being answered', () => inFlight.size);

  const served = endpoints.map((endpoint) => ({ endpoint, held: 0, stats: newStats(endpoint, queue) }));
  const protocol = createServiceProtocol({ bus, service, endpoints: served.map(({ stats }) => stats) });
  let subscriptions: Subscription[] = [];
  let state: 'idle' | 'serving' | 'stopped' = 'idle';

  function take(target: (typeof served)[number], message: BusMessage): void {
    const work = answer(target, message)
      .catch((fault: unknown) =>
        logger.error({ err: fault, subject: message.subject }, 'a reply could not be sent'),
      )
      .finally(() => inFlight.delete(work));
    inFlight.add(work);
  }

  async function answer(target: (typeof served)[number], message: BusMessage): Promise<void> {
    const { endpoint } = target;
    // After a standstill of this process a message may have waited as long as that.
    const receivedAt = performance.now() - stallClock.stalledMs();
    const id = requestId(message);
    const log = logger.child({ request_id: id, subject: message.subject });
    const replyTo = message.replyTo;
    if (replyTo === undefined || !isReplySubject(replyTo)) {
      // There is nobody to tell; the work would be for nothing.
      log.warn({ reply_to: replyTo }, 'request without a reply subject that may be used');
      return record(target, 'INVALID_REQUEST', 'no usable reply subject', receivedAt);
    }

    target.held += 1;
    try {
      if (target.held > endpoint.maxConcurrent) {
        throw new ProbeTaskError(
          'OVERLOADED',
          `${endpoint.maxConcurrent} requests are being answered already`,
        );
      }
      if (performance.now() - receivedAt > staleMs) {
        throw new ProbeTaskError('UNAVAILABLE', 'the request waited longer than callers do');
      }
      const reply = await endpoint.answer(message.body, { requestId: id, logger: log, receivedAt });
      bus.publish(replyTo, {
        body: 'encoded' in reply ? reply.encoded : Buffer.from(JSON.stringify(reply.body)),
        ...(reply.headers === undefined ? {} : { headers: reply.headers }),
      });
      record(target, 'OK', undefined, receivedAt);
      log.debug({ ms: performance.now() - receivedAt }, 'answered');
    } catch (fault) {
      const error = asCodedError(fault, log);
      publishError(replyTo, error);
      record(target, error.code, error.message, receivedAt);
      log.info({ code: error.code, reason: error.message, ms: performance.now() - receivedAt }, 'refused');
    } finally {
      target.held -= 1;
    }
  }

  function publishError(replyTo: string, error: ProbeTaskError): void {
    try {
      bus.publish(replyTo, formatErrorMessage(error));
    } catch (fault) {
      if (!(fault instanceof ProbeTaskError) || fault.code !== 'PAYLOAD_TOO_LARGE') throw fault;
      // The details made it too large for this bus; the code must arrive all the same.
      bus.publish(replyTo, formatErrorMessage(new ProbeTaskError(error.code, error.message.slice(0, 100))));
    }
  }

  function record(
    { endpoint, stats }: (typeof served)[number],
    code: string,
    fault: string | undefined,
    receivedAt: number,
  ): void {
    const ms = performance.now() - receivedAt;
    requests.inc({ subject: endpoint.subject, code });
    latency.observe({ subject: endpoint.subject }, ms / 1000);
    stats.requests += 1;
    stats.processingMs += ms;
    if (fault === undefined) return;
    stats.errors += 1;
    stats.lastError = `${code}: ${fault}`;
  }

  return {
    isServing: () => state === 'serving',
    async start() {
      subscriptions = served.map((target) =>
        bus.subscribe(target.endpoint.subject, (message) => take(target, message), { queue }),
      );
      await protocol.start();
      await bus.flush();
      if (state === 'idle') state = 'serving';
    },
    async stop() {
      state = 'stopped';
      await Promise.all(subscriptions.map((subscription) => subscription.drain()));
      await Promise.all(inFlight);
      await protocol.stop();
    },
  };
}

function newStats({ name, subject }: Endpoint, queue: string): EndpointStats {
  return { name, subject, queue, requests: 0, errors: 0, lastError: '', processingMs: 0 };
}

function asCodedError(fault: unknown, logger: Logger): ProbeTaskError {
  if (fault instanceof ProbeTaskError) return fault;
  logger.error({ err: fault }, 'a handler failed');
  return new ProbeTaskError('INTERNAL', 'the service failed; its log has the reason under this request id');
}

/** An error reply. Never with a `Status` header: nats-py takes a 503 there for "no responders". */
function formatErrorMessage(error: ProbeTaskError): { body: Uint8Array; headers: Record<string, string> } {
  return {
    body: Buffer.from(JSON.stringify(formatErrorReply(error))),
    headers: {
      // A header value ends at the line.
      [headers.errorText]: `${error.code}: ${error.message}`.replace(/[^ -~]+/g, ' ').slice(0, 500),
      [headers.errorCode]: String(errorCatalog[error.code].status),
    },
  };
}
