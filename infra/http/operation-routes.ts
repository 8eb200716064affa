// Health and metrics of a process as routes: /healthz, /readyz, /metrics.
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../metrics.ts';

/** Named conditions; the process is ready when every required one holds. */
export type ReadinessChecks = Record<
  string,
  { isRequired: boolean; check: () => boolean | Promise<boolean> }
>;

/** A check that takes longer counts as failed: whoever asks for readiness waits little. */
const checkLimitMs = 500;

/**
 * `/healthz`: 200 while the event loop turns. `/readyz`: 200 or 503 with each condition's state. `/metrics`: Prometheus
 * text.
 */
export function registerOperationRoutes(
  app: FastifyInstance,
  { metrics, checks }: { metrics: Metrics; checks: ReadinessChecks },
): void {
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
