// Health and metrics of a process over HTTP: /healthz, /readyz, /metrics.
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import { systemErrorCode } from './error-text.ts';
import type { Component } from './lifecycle.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';

/** Named conditions; the process is ready when every required one holds. */
export type ReadinessChecks = Record<
  string,
  { isRequired: boolean; check: () => boolean | Promise<boolean> }
>;

/** A check that takes longer counts as failed: whoever asks for readiness waits little. */
const checkLimitMs = 500;

/**
 * `/healthz`: 200 while the event loop turns. `/readyz`: 200 or 503 with each condition's state. `/metrics`: Prometheus
 * text. The address is logged, because port 0 takes any free one.
 */
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

  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const states = await Promise.all(
      Object.entries(checks).map(async ([name, { check, isRequired }]) => ({
        name,
        isRequired,
        holds: await within(checkLimitMs, check),
      })),
    );
    const isReady = states.every(({ holds, isRequired }) => holds || !isRequired);
    reply.code(isReady ? 200 : 503);
    return {
      status: isReady ? 'ready' : 'not ready',
      checks: Object.fromEntries(states.map(({ name, holds }) => [name, holds])),
    };
  });
  app.get('/metrics', async (_request, reply) => {
    reply.type(metrics.registry.contentType);
    return metrics.registry.metrics();
  });

  return {
    async start() {
      if (isStopped) return;
      try {
        await app.listen({ host, port });
      } catch (error) {
        throw explainListenFailure(error, host, port);
      }
      const address = app.server.address() as AddressInfo;
      logger.info({ url: `http://${host}:${address.port}` }, 'health and metrics');
    },
    async stop() {
      isStopped = true;
      await app.close();
    },
  };
}

function explainListenFailure(error: unknown, host: string, port: number): unknown {
  return systemErrorCode(error) === 'EADDRINUSE'
    ? new Error(`METRICS_PORT: port ${port} of ${host} is taken`, { cause: error })
    : error;
}

async function within(limitMs: number, check: () => boolean | Promise<boolean>): Promise<boolean> {
  const { promise: limit, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(resolve, limitMs, false);
  try {
    return await Promise.race([check(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
