// What every HTTP service stands on: keys, bounds, coded errors, health, metrics, and an orderly stop.
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { errorCatalog, type ProbeTaskError } from '../../contracts/errors.ts';
import type { Component } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { waitAtMost } from '../wait-at-most.ts';
import { answerUnreadable } from './answer-unreadable.ts';
import { createBodyGuard } from './body-guard.ts';
import { asCodedError, errorHeaders, type FormatError, type StatusOf } from './coded-error.ts';
import { createGuard } from './guard.ts';
import { createInHand, type InHand } from './in-hand.ts';
import { listen } from './listen.ts';
import { type ReadinessChecks, registerOperationRoutes } from './operation-routes.ts';
import { httpRequestId, requestIdHeader } from './request-id.ts';
import { pathOf, watchPaths } from './request-path.ts';
import { createRequestRecord } from './request-record.ts';

export type HttpServer = Component & {
  /** `http://host:port`, once it has started. */
  url(): string;
  isListening(): boolean;
};

export type HttpServerOptions = {
  host: string;
  port: number;
  /** The variable that sets the port, such as `CRONTAB_PORT`. */
  portVariable: string;
  /** Any of them lets in; without one everybody may call. */
  apiKeys: readonly string[];
  /** Bytes. */
  bodyLimit: number;
  /** Bytes of the bodies in hand at once, small ones apart; one more is answered `OVERLOADED`. Unless given, no bound. */
  maxBodyOctets?: number;
  /** In hand at once; one more is answered `OVERLOADED`. */
  maxRequests?: number;
  formatError: FormatError;
  /** HTTP status of an error; unless given, that of the catalogue. */
  statusOf?: StatusOf;
  /** Adds the routes that a key is needed for. */
  register: (app: FastifyInstance) => void;
  /** Adds routes that are open to everybody, such as the page of the calls. */
  registerOpen?: (app: FastifyInstance) => void;
  checks: ReadinessChecks;
  timeLimits?: Partial<TimeLimits>;
  metrics: Metrics;
  logger: Logger;
};

export type TimeLimits = {
  /** From its first octet to its last. */
  requestMs: number;
  headersMs: number;
  /** Nothing moves on the connection although a request is in hand: a caller that does not read. */
  silenceMs: number;
  /** Between two requests; longer than proxies keep an idle connection, so that they are the ones to close it. */
  keepAliveMs: number;
  /** For those in hand at a stop. */
  stopMs: number;
};

const defaultTimeLimits: TimeLimits = {
  requestMs: 30_000,
  headersMs: 10_000,
  silenceMs: 120_000,
  keepAliveMs: 72_000,
  stopMs: 8000,
};
const defaultMaxRequests = 200;
const statusInCatalog = ({ code }: ProbeTaskError): number => errorCatalog[code].status;
/** How often the server looks for connections that are over their time, at the most. */
const checkIntervalMs = 1000;

/**
 * Serves the routes on a port, and `/healthz`, `/readyz` and `/metrics` beside them, open to everybody. Every reply
 * carries `X-Request-Id`; every error is one of the catalogue, as `formatError` writes it. `stop` takes no further
 * requests and resolves when those in hand have been answered.
 */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { host, port, portVariable, apiKeys, bodyLimit, formatError, checks, metrics, logger } = options;
  const { maxRequests = defaultMaxRequests, statusOf = statusInCatalog, register, registerOpen } = options;
  const { maxBodyOctets = Number.POSITIVE_INFINITY } = options;
  const limits = { ...defaultTimeLimits, ...options.timeLimits };
  const requestRecord = createRequestRecord(metrics, logger);
  const inHand = createInHand();
  metrics.gauge('probe_http_in_hand', 'Requests being answered', inHand.size);
  let url = '';
  let isStopping = false;
  const findRefusal = createGuard({ apiKeys, maxRequests, inHand, isStopping: () => isStopping });
  const guardBody = createBodyGuard({ maxBodyOctets, inHand });

  const app = fastify({
    logger: false,
    bodyLimit,
    genReqId: ({ headers }) => httpRequestId(headers),
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.silenceMs,
    keepAliveTimeout: limits.keepAliveMs,
    http: {
      headersTimeout: limits.headersMs,
      connectionsCheckingInterval: Math.min(checkIntervalMs, limits.headersMs),
    },
    // What comes during a stop is refused like everything else, in the service's own form.
    return503OnClosing: false,
    frameworkErrors: replyError,
    clientErrorHandler(fault, socket) {
      const status = answerUnreadable(fault, socket, { formatError, statusOf });
      if (status !== undefined) requestRecord.addUnreadable(status);
    },
  });

  function replyError(fault: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const log = logger.child({ request_id: request.id, method: request.method, path: pathOf(request) });
    const error = asCodedError(fault, () => request.routeOptions.bodyLimit, log);
    const hasLeft = request.raw.destroyed && !request.raw.complete;
    log[hasLeft ? 'debug' : 'info']({ code: error.code, reason: error.message }, 'refused');
    return reply
      .code(statusOf(error))
      .headers(errorHeaders(error))
      .header(requestIdHeader, request.id)
      .send(formatError(error));
  }

  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  app.setErrorHandler(replyError);
  const describeMissing = watchPaths(app);
  app.setNotFoundHandler((request) => {
    throw describeMissing(request);
  });
  app.addHook('onRequest', (request, reply, done) => {
    const startedAt = performance.now();
    const release = inHand.hold(request);
    reply.raw.once('close', () => {
      release();
      requestRecord.add(request, reply, startedAt);
    });
    reply.header(requestIdHeader, request.id);
    // Whatever it says, and however badly, the body is read the same way.
    delete request.raw.headers['content-type'];
    // Here, before anything of the body is read.
    done(request.is404 ? describeMissing(request) : undefined);
  });
  app.addHook('onSend', (_request, reply, payload, done) => {
    if (isStopping) reply.header('connection', 'close');
    done(null, payload);
  });
  registerOperationRoutes(app, { metrics, checks });
  registerOpen?.(app);
  app.register(async (guarded) => {
    guarded.addHook('onRequest', (request, _reply, done) => done(findRefusal(request)));
    guarded.addHook('onRequest', (request, _reply, done) => guardBody(request, done));
    holdWhileHandled(guarded, inHand);
    register(guarded);
  });

  return {
    url: () => url,
    isListening: () => url !== '' && !isStopping,
    async start() {
      if (isStopping) return;
      url = await listen(app, { host, port, portVariable });
      logger.info({ url }, 'listening');
    },
    async stop() {
      isStopping = true;
      const closing = app.close();
      await waitAtMost(inHand.whenEmpty(), limits.stopMs);
      if (inHand.size() > 0) logger.warn({ requests: inHand.size() }, 'requests were cut off by the stop');
      // Left are those in hand for too long, silent ones, and those that never sent a whole header.
      app.server.closeAllConnections();
      await closing;
    },
  };
}

/** A request whose caller has left stays in hand until its handler is done. */
function holdWhileHandled(app: FastifyInstance, inHand: InHand): void {
  app.addHook('onRoute', (route) => {
    const { handler } = route;
    route.handler = async function holding(request, reply) {
      const release = inHand.hold(request);
      try {
        return await handler.call(this, request, reply);
      } finally {
        release();
      }
    };
  });
}
