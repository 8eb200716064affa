// The calls of a service's contract as routes: decode the body, hand it over, reply.
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import { decodeJson } from '../../contracts/decode.ts';
import type { HttpCall } from '../../contracts/http-call.ts';
import type { Logger } from '../logger.ts';

export type HttpContext = { requestId: string; logger: Logger };

/** One function for each call: takes the body as JSON, still unchecked, and resolves with the body of the reply. */
export type HttpHandlers<Calls extends Record<string, HttpCall>> = {
  readonly [Name in keyof Calls]: (
    body: unknown,
    context: HttpContext,
  ) => Promise<z.input<Calls[Name]['reply']>>;
};

/**
 * Adds a POST route for each call. A body is read as JSON whatever its content type says; one that is not becomes
 * `INVALID_JSON`, and what a handler throws goes the way of every error of the server.
 */
export function registerCalls<Calls extends Record<string, HttpCall>>(
  app: FastifyInstance,
  calls: Calls,
  handlers: HttpHandlers<Calls>,
  logger: Logger,
): void {
  for (const [name, { path }] of Object.entries(calls)) {
    const handle = handlers[name];
    if (handle === undefined) throw new Error(`nobody handles ${name}`);
    app.post(path, async (request) => {
      const octets = request.body instanceof Uint8Array ? request.body : new Uint8Array();
      const context = {
        requestId: request.id,
        logger: logger.child({ request_id: request.id, path }),
      };
      return handle(decodeJson(octets), context);
    });
  }
}
