// What is kept of every request: a count, its time, and a line for debugging.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { pathOf } from './request-path.ts';

/** The route of what reached none: paths of the caller's own making are no labels. */
const noRoute = 'none';

export type RequestRecord = {
  /** To be called when the connection has no more to do with the request. */
  add(request: FastifyRequest, reply: FastifyReply, startedAt: number): void;
  /** What could not be read as a request. */
  addUnreadable(status: string): void;
};

/** `probe_http_requests_total` and `probe_http_request_seconds`. */
export function createRequestRecord(metrics: Metrics, logger: Logger): RequestRecord {
  const requests = metrics.counter('probe_http_requests_total', 'Requests, by route and status', [
    'route',
    'status',
  ]);
  const latency = metrics.latency('probe_http_request_seconds', 'From the header to the end of the reply', [
    'route',
  ]);
  return {
    add(request, reply, startedAt) {
      const ms = performance.now() - startedAt;
      const route = request.routeOptions.url ?? noRoute;
      const status = reply.raw.writableFinished ? String(reply.statusCode) : 'aborted';
      requests.inc({ route, status });
      latency.observe({ route }, ms / 1000);
      logger.debug(
        { request_id: request.id, method: request.method, path: pathOf(request), status, ms },
        'done',
      );
    },
    addUnreadable: (status) => requests.inc({ route: noRoute, status }),
  };
}
