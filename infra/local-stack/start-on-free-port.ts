// Which TCP ports of an address are free.
import { createServer } from 'node:net';
import { describeError, systemErrorCode } from '../error-text.ts';
import { StackError } from './stack-error.ts';

export const loopback = '127.0.0.1';

// A taken port is followed by its neighbours; beyond that something else is wrong.
const maxPortsTried = 50;

/**
 * Starts something on the preferred port of `host`, or on the next one that is free. Between the look at a port and
 * its use another program may take it, so `start` gives null for "taken after all" and the search goes on.
 * A preferred port of 0 means any port. Rejects with `PORT_TAKEN` when 50 ports in a row are in use, and with
 * `SERVER_FAILED` when nothing can listen on `host`.
 */
export async function startOnFreePort<T>(
  preferredPort: number,
  start: (port: number) => Promise<T | null>,
  host = loopback,
): Promise<T> {
  for (let offset = 0; offset < maxPortsTried; offset += 1) {
    const port = await findFree(preferredPort === 0 ? 0 : preferredPort + offset, host);
    const started = port === null ? null : await start(port);
    if (started !== null) return started;
  }
  const last = preferredPort + maxPortsTried - 1;
  throw new StackError('PORT_TAKEN', `every port from ${preferredPort} to ${last} is taken on ${host}`);
}

/** The port itself when nothing listens on it (any free one for 0), else null. */
export function findFree(port: number, host = loopback): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (error) => {
      const code = systemErrorCode(error);
      if (code === 'EADDRINUSE' || code === 'EACCES') resolve(null);
      else {
        const message = `cannot listen on ${host}: ${describeError(error)}`;
        reject(new StackError('SERVER_FAILED', message, { cause: error }));
      }
    });
    probe.listen({ port, host, exclusive: true }, () => {
      const address = probe.address();
      const found = typeof address === 'object' && address !== null ? address.port : null;
      probe.close(() => resolve(found));
    });
  });
}

/** For the address of what had to go elsewhere; empty where it did not. */
export function noteOtherPort(port: number, preferredPort: number): string {
  return port === preferredPort || preferredPort === 0 ? '' : ` (${preferredPort} is taken)`;
}
