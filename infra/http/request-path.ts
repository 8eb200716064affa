// The path of a request, and what is there for it.
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProbeTaskError } from '../../contracts/errors.ts';

/** A path that is told back or logged; it is the caller's, and may be as long as a header. */
const maxPathText = 200;

/** Without the query. */
export function pathOf(request: FastifyRequest): string {
  return (request.url.split('?', 1)[0] ?? '').slice(0, maxPathText);
}

/**
 * Notes every route that is added from now on. Gives the error for a request that has none: `METHOD_NOT_ALLOWED` where
 * its path takes other methods, else `NOT_FOUND`.
 */
export function watchPaths(app: FastifyInstance): (request: FastifyRequest) => ProbeTaskError {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    methods.set(url, new Set([...(methods.get(url) ?? []), ...[method].flat()]));
  });
  return (request) => {
    const path = pathOf(request);
    const allowed = methods.get(path);
    if (allowed === undefined) return new ProbeTaskError('NOT_FOUND', `there is nothing at ${path}`);
    const allow = [...allowed].join(', ');
    return new ProbeTaskError('METHOD_NOT_ALLOWED', `expected ${allow}`, { allow });
  };
}
