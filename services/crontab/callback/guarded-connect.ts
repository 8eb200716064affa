// Connections to addresses that the policy allows, and to no others: checked on what a name resolves to.
import { connect, isIP, type LookupFunction, Socket } from 'node:net';
import { buildConnector } from 'undici';
import type { NetworkPolicy } from '../../../infra/network/network-policy.ts';
import { createHostResolver } from './resolve-host.ts';

/** The address may not be called. */
export class ForbiddenNetwork extends Error {
  override readonly name = 'ForbiddenNetwork';
}

export type GuardedConnect = {
  /** For the HTTP client: TCP, and TLS above it. Fails with `ForbiddenNetwork`. */
  connector: buildConnector.connector;
  /** A TCP connection under way; it ends in an 'error' with `ForbiddenNetwork`. */
  openSocket(host: string, port: number): Socket;
};

/** Of one connection, whatever time the call has: a host that is away holds no socket for an hour. */
const connectLimitMs = 10_000;

/** Checks IP literals at once, for which no lookup is made, and names when they are looked up. */
export function createGuardedConnect(networks: NetworkPolicy): GuardedConnect {
  const resolveHost = createHostResolver();

  function refusalOf(host: string): ForbiddenNetwork | undefined {
    const refusal = isIP(host) === 0 ? undefined : networks.findRefusal(host);
    return refusal === undefined ? undefined : new ForbiddenNetwork(`${host} ${refusal}`);
  }

  const lookup: LookupFunction = (name, options, callback) => {
    resolveHost(name).then(
      (addresses) => {
        const allowed = addresses.filter(({ address }) => networks.findRefusal(address) === undefined);
        const [first] = allowed;
        if (first === undefined) callback(refuseAll(name, addresses), []);
        else if (options.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (error: Error) => callback(error, []),
    );
  };

  function refuseAll(name: string, addresses: { address: string }[]): Error {
    const [first] = addresses;
    const why =
      first === undefined ? 'has no address' : `${first.address} ${networks.findRefusal(first.address)}`;
    return new ForbiddenNetwork(`${name}: ${why}`);
  }

  const connectHttp = buildConnector({ lookup, timeout: connectLimitMs, allowH2: false });

  return {
    connector(options, callback) {
      const refusal = refusalOf(options.hostname);
      if (refusal === undefined) connectHttp(options, callback);
      // The client does not expect an answer before this returns.
      else queueMicrotask(() => callback(refusal, null));
    },
    openSocket(host, port) {
      const refusal = refusalOf(host);
      return refusal === undefined
        ? connect({ host, port, lookup, noDelay: true })
        : new Socket().destroy(refusal);
    },
  };
}
