// One verbose call over a connection of its own.
import { setTimeout as wait } from 'node:timers/promises';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { VerboseRow } from '../../contracts/probe.ts';
import { type BusConfig, createBus } from '../../infra/bus/nats-bus.ts';
import { createProbeClient } from '../../infra/bus/probe-client.ts';
import { describeError } from '../../infra/error-text.ts';
import { createLogger } from '../../infra/logger.ts';
import type { ProbeInput } from './probe-arguments.ts';
import { recordReply } from './record-reply.ts';

/** `body` is the reply as it came; of an error it is empty when no reply came. */
export type ProbeAnswer =
  | { kind: 'reply'; rows: VerboseRow[]; body: Uint8Array }
  | { kind: 'error'; error: ProbeTaskError; body: Uint8Array };

const connectTimeoutMs = 2000;
const closeLimitMs = 500;

/** Connects, asks and closes. Never rejects: whatever fails is the answer. */
export async function askProbe(config: BusConfig, request: ProbeInput): Promise<ProbeAnswer> {
  const logger = createLogger('probe-cli', 'silent');
  const bus = createBus({ config, name: 'probe-cli', logger, connectTimeoutMs });
  const recorder = recordReply(bus);
  try {
    await bus.start();
    const { results } = await createProbeClient(recorder).call('oneShootVerbose', request);
    return { kind: 'reply', rows: results, body: recorder.lastReply() };
  } catch (error) {
    const body = recorder.lastReply();
    return { kind: 'error', error: explainError(error, body.length > 0, config.servers), body };
  } finally {
    // Closing waits for a server that may hang. The answer is there or the reason why not, and the process ends next.
    await Promise.race([bus.stop(), wait(closeLimitMs, undefined, { ref: false })]).catch(() => undefined);
  }
}

function explainError(error: unknown, hasReply: boolean, servers: string[]): ProbeTaskError {
  if (!(error instanceof ProbeTaskError)) return new ProbeTaskError('INTERNAL', describeError(error));
  if (hasReply || error.code !== 'UNAVAILABLE') return error;
  return new ProbeTaskError(
    'UNAVAILABLE',
    `${error.message} at ${servers.join(', ')} (npm start runs a stack here, NATS_URL names another)`,
  );
}
