// Calls the callbacks of tasks, by whichever of the four methods, and tells what came of it.
import type { Bus } from '../../../infra/bus/bus.ts';
import type { Stoppable } from '../../../infra/lifecycle.ts';
import type { Logger } from '../../../infra/logger.ts';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import { createAbortGroups, runAttempt, type Work } from './attempt.ts';
import { type Callback, type CallbackOutcome, failed } from './callback.ts';
import { createGuardedConnect } from './guarded-connect.ts';
import { createHttpCalls } from './http-call.ts';
import { prepareNatsCall } from './nats-call.ts';
import { prepareRpcCall } from './rpc-call.ts';
import { parseTarget } from './target.ts';

export type { Callback, CallbackOutcome } from './callback.ts';

export type Caller = Stoppable & {
  /**
   * Makes one call: at most one request leaves this process. A call that fails is an outcome; it rejects for bugs only.
   * The signal gives it up (`ABORTED`); whether it was carried out is not known then.
   */
  call(callback: Callback, signal?: AbortSignal): Promise<CallbackOutcome>;
};

/** `stop` gives up the calls still under way and closes all connections; calls after it are `ABORTED` at once. */
export function createCaller(options: {
  bus: Pick<Bus, 'request' | 'isConnected'>;
  networks: NetworkPolicy;
  /** Signs the calls of tasks without a secret of their own. */
  defaultSecret: string | undefined;
  logger: Logger;
}): Caller {
  const { bus, networks, defaultSecret, logger } = options;
  const connections = createGuardedConnect(networks);
  const http = createHttpCalls(connections);
  const groups = createAbortGroups();
  const stopped = new AbortController();
  let stopping: Promise<void> | undefined;

  /** The work of a call; the reason where the task cannot be called, though it was checked when it was stored. */
  function prepare(callback: Callback): Work | string {
    const target = parseTarget(callback);
    if (target.kind === 'none') return target.reason;
    if (target.kind === 'rpc') return prepareRpcCall(callback, target, connections);
    if (target.kind === 'nats') return prepareNatsCall(callback, target, bus);
    return http.prepare(callback, target, callback.secret ?? defaultSecret);
  }

  return {
    call(callback, signal) {
      const work = prepare(callback);
      if (typeof work === 'string') {
        logger.warn({ messageId: callback.messageId, reason: work }, 'a stored callback cannot be called');
        return Promise.resolve(failed('BAD_CALLBACK', `the url ${work}`));
      }
      const signals = signal === undefined ? [stopped.signal] : [stopped.signal, signal];
      return runAttempt({ timeoutMs: callback.timeoutMs, signals, groups }, work);
    },
    stop() {
      stopped.abort();
      stopping ??= http.stop();
      return stopping;
    },
  };
}
