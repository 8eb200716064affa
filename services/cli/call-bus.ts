// Calls of the contract over a connection of their own, which ends with them.
import { setTimeout as wait } from 'node:timers/promises';
import { ProbeTaskError } from '../../contracts/errors.ts';
import type { RpcInput, RpcName, RpcReply } from '../../contracts/rpc.ts';
import { headers } from '../../contracts/subjects.ts';
import { type BusConfig, createBus } from '../../infra/bus/nats-bus.ts';
import { createProbeClient } from '../../infra/bus/probe-client.ts';
import { describeError } from '../../infra/error-text.ts';
import { createLogger } from '../../infra/logger.ts';
import { recordReply } from './record-reply.ts';
import type { ProgressLine } from './terminal/progress-line.ts';

export type Answer<Name extends RpcName> = {
  reply: RpcReply<Name>;
  /** The reply as it came, with fields that the contract does not know. */
  body: Uint8Array;
  /** Of the reply header `Probe-Next-Cursor`. */
  nextCursor: string | undefined;
};

/** What the progress says meanwhile, and the limit of the wait in seconds where it has one. */
export type Waiting = { label: string; limitS?: number };

export type Caller = {
  /** Asks once. Throws `FailedCall`. */
  call<Name extends RpcName>(name: Name, request: RpcInput<Name>): Promise<Answer<Name>>;
};

/** A call that was answered with an error, or not at all. */
export class FailedCall extends Error {
  override readonly name = 'FailedCall';
  readonly error: ProbeTaskError;
  /** The error reply as it came; empty when none came. */
  readonly reply: Uint8Array;

  constructor(error: ProbeTaskError, reply: Uint8Array = new Uint8Array()) {
    super(error.message);
    this.error = error;
    this.reply = reply;
  }
}

const connectTimeoutMs = 2000;
const closeLimitMs = 500;

/** Connects, runs `use` and closes. Throws `FailedCall`, also when no connection comes about. */
export async function callBus<Value>(
  options: { config: BusConfig; progress: ProgressLine; waiting: Waiting },
  use: (caller: Caller) => Promise<Value>,
): Promise<Value> {
  const { config, progress, waiting } = options;
  const logger = createLogger('probe-cli', 'silent');
  const bus = createBus({ config, name: 'probe-cli', logger, connectTimeoutMs });
  const recorder = recordReply(bus);
  const client = createProbeClient(recorder);

  async function explain<Result>(work: () => Promise<Result>): Promise<Result> {
    recorder.forget();
    try {
      return await work();
    } catch (error) {
      const reply = recorder.lastReply().body;
      throw new FailedCall(explainError(error, reply.length > 0, config.servers), reply);
    }
  }

  progress.start(waiting.label, waiting.limitS);
  try {
    await explain(() => bus.start());
    return await use({
      async call(name, request) {
        const reply = await explain(() => client.call(name, request));
        const { body, header } = recorder.lastReply();
        return { reply, body, nextCursor: header(headers.nextCursor) };
      },
    });
  } finally {
    progress.stop();
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
