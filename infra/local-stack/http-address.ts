// Where the services' HTTP is asked for: HTTP_HOST names what they listen on, which may be every address.
import { isIPv6 } from 'node:net';
import { loopback } from './start-on-free-port.ts';

/** What a service listens on, as infra/config.ts has it. */
export function readHttpHost(env: NodeJS.ProcessEnv): string {
  return env.HTTP_HOST || loopback;
}

/** `http://host:port` by which this machine reaches what listens there; for any address that is loopback. */
export function httpOrigin(listenHost: string, port: number): string {
  const host = listenHost === '0.0.0.0' ? loopback : listenHost === '::' ? '::1' : listenHost;
  return `http://${isIPv6(host) ? `[${host}]` : host}:${port}`;
}
