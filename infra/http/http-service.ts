// The two servers of a service with an API over HTTP: that of its callers, and that of its operation.
import type { Component } from '../lifecycle.ts';
import { createHttpServer, type HttpServerOptions } from './http-server.ts';
import { createOperationServer } from './operation-server.ts';

/** On ports of their own; the operation is ready when all checks pass and the API listens. */
export function createHttpService(options: HttpServerOptions & { metricsPort: number }): {
  api: Component;
  operation: Component;
} {
  const { host, metricsPort, checks, metrics, logger } = options;
  const api = createHttpServer(options);
  const operation = createOperationServer({
    host,
    port: metricsPort,
    metrics,
    checks: { ...checks, api: { isRequired: true, check: api.isListening } },
    logger,
  });
  return { api, operation };
}
