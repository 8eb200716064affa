// A caller of the contract for tests: the typed client, and the raw connection for what the client would not send.
import { connect, type Msg, type NatsConnection } from 'nats';
import { vi } from 'vitest';
import { createBus } from '../../infra/bus/nats-bus.ts';
import { createProbeClient, type ProbeClient } from '../../infra/bus/probe-client.ts';
import { createLogger } from '../../infra/logger.ts';

export { readMetric } from './read-metric.ts';

export type TestClient = ProbeClient & {
  raw: NatsConnection;
  /** Sends any octets as a request; 10 s to answer unless told otherwise. */
  request(subject: string, body: string | Uint8Array, timeoutMs?: number): Promise<Msg>;
  stop(): Promise<void>;
};

export async function connectTestClient(natsUrl: string): Promise<TestClient> {
  const bus = createBus({
    config: { servers: [natsUrl] },
    name: 'test',
    logger: createLogger('test', 'silent'),
  });
  await bus.start();
  const raw = await connect({ servers: natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  return {
    ...createProbeClient(bus),
    raw,
    request: (subject, body, timeoutMs = 10_000) => raw.request(subject, body, { timeout: timeoutMs }),
    async stop() {
      await raw.close();
      await bus.stop();
    },
  };
}

/** Resolves when the condition holds; asks again every 20 ms for up to 15 s. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  await vi.waitUntil(condition, { interval: 20, timeout: 15_000 });
}
