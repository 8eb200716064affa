// The id by which one HTTP request is found in the logs.
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';

export const requestIdHeader = 'x-request-id';

const printable = /^[!-~]{1,128}$/;

/** `X-Request-Id` where it is 1 to 128 printable characters, else a new one. */
export function httpRequestId(headers: IncomingHttpHeaders): string {
  const given = headers[requestIdHeader];
  return typeof given === 'string' && printable.test(given) ? given : randomUUID();
}
