// The typed client of the contract for Node peers.
import { decodeReply } from '../../contracts/decode.ts';
import { defaultRespTimeoutS } from '../../contracts/probe.ts';
import { type RpcInput, type RpcName, type RpcReply, rpcs } from '../../contracts/rpc.ts';
import type { Bus } from './bus.ts';

/** What a caller waits beyond `resp_timeout`, for the way there and back. */
const replyMarginMs = 1000;
const callTimeoutMs = 10_000;

export type ProbeClient = {
  /**
   * Calls the contract. Resolves with the parsed reply; throws `ProbeTaskError`: the code that the service replied, or
   * `UNAVAILABLE` when nobody answers in time. Waits `resp_timeout` and a second for probes, 10 s for other calls,
   * unless `timeoutMs` says otherwise.
   */
  call<Name extends RpcName>(
    name: Name,
    request: RpcInput<Name>,
    options?: { timeoutMs?: number; headers?: Record<string, string> },
  ): Promise<RpcReply<Name>>;
};

/** A client over a bus that has been started. */
export function createProbeClient(bus: Bus): ProbeClient {
  return {
    async call<Name extends RpcName>(
      name: Name,
      request: RpcInput<Name>,
      options: { timeoutMs?: number; headers?: Record<string, string> } = {},
    ): Promise<RpcReply<Name>> {
      const rpc = rpcs[name];
      const message = await bus.request(rpc.subject, {
        body: Buffer.from(JSON.stringify(request)),
        timeoutMs: options.timeoutMs ?? timeoutFor(name, request),
        ...(options.headers === undefined ? {} : { headers: options.headers }),
      });
      return decodeReply(rpc, message.body);
    },
  };
}

function timeoutFor(name: RpcName, request: object): number {
  if (name !== 'oneShoot' && name !== 'oneShootVerbose') return callTimeoutMs;
  const seconds =
    'resp_timeout' in request ? Number(request.resp_timeout ?? defaultRespTimeoutS) : defaultRespTimeoutS;
  return seconds * 1000 + replyMarginMs;
}
