// Whether a call is let in, before anything of its body is read.
import type { FastifyRequest } from 'fastify';
import { ProbeTaskError } from '../../contracts/errors.ts';
import { createKeyCheck } from './api-keys.ts';
import { isForeignPage, isNamedInBrowser } from './foreign-page.ts';
import type { InHand } from './in-hand.ts';

/** Gives the error that refuses the request, or undefined; the request itself is in hand already. */
export function createGuard(options: {
  apiKeys: readonly string[];
  maxRequests: number;
  inHand: InHand;
  isStopping: () => boolean;
}): (request: FastifyRequest) => ProbeTaskError | undefined {
  const { apiKeys, maxRequests, inHand, isStopping } = options;
  const hasKey = createKeyCheck(apiKeys);
  return ({ headers }) => {
    if (isStopping()) return new ProbeTaskError('UNAVAILABLE', 'the service is being stopped');
    if (isForeignPage(headers)) {
      return new ProbeTaskError('UNAUTHORIZED', 'a page of another origin may not call');
    }
    if (apiKeys.length === 0 && isNamedInBrowser(headers)) {
      return new ProbeTaskError(
        'UNAUTHORIZED',
        'a browser may call by address or localhost only, or with a key',
      );
    }
    if (!hasKey(headers)) {
      return new ProbeTaskError('UNAUTHORIZED', 'expected a key, as Authorization: Bearer or X-API-Key');
    }
    if (inHand.size() > maxRequests) {
      return new ProbeTaskError('OVERLOADED', `${maxRequests} requests are being answered already`);
    }
    return undefined;
  };
}
