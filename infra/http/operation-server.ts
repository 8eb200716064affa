// Health and metrics of a process over HTTP, on a port of their own.
import fastify from 'fastify';
import type { Component } from '../lifecycle.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { listen } from './listen.ts';
import { type ReadinessChecks, registerOperationRoutes } from './operation-routes.ts';

/** `/healthz`, `/readyz` and `/metrics`. The address is logged, because port 0 takes any free one. */
export function createOperationServer(options: {
  host: string;
  port: number;
  metrics: Metrics;
  checks: ReadinessChecks;
  logger: Logger;
}): Component {
  const { host, port, metrics, checks, logger } = options;
  const app = fastify({ logger: false, forceCloseConnections: true });
  let isStopped = false;
  registerOperationRoutes(app, { metrics, checks });

  return {
    async start() {
      if (isStopped) return;
      const url = await listen(app, { host, port, portVariable: 'METRICS_PORT' });
      logger.info({ url }, 'health and metrics');
    },
    async stop() {
      isStopped = true;
      await app.close();
    },
  };
}
