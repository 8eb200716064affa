// The calls of a service's contract as routes: decode the request, hand it over, reply.
import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { decodeJson } from '../../contracts/decode.ts';
import type { HttpCall } from '../../contracts/http-call.ts';
import type { Logger } from '../logger.ts';
import { EncodedJson } from './encoded-json.ts';
import { readQuery } from './request-query.ts';

export type HttpContext = {
  requestId: string;
  logger: Logger;
  /**
   * The first header of this name (in any case), trimmed and read as UTF-8: what is none has U+FFFD in it. Undefined
   * without such a header.
   */
  header(name: string): string | undefined;
  /** Aborted when the connection has no more to do with the request, and when the server stops: nothing is worth a wait then. */
  signal: AbortSignal;
};

/** One function for each call: takes the request, still unchecked, and resolves with the body of the reply. */
export type HttpHandlers<Calls extends Record<string, HttpCall>> = {
  readonly [Name in keyof Calls]: (
    request: GivenRequest<Calls[Name]>,
    context: HttpContext,
  ) => Promise<z.input<Calls[Name]['reply']> | GivenText<Calls[Name]>>;
};

/** The body as JSON, or as octets; of a GET, the query, whose values are texts. */
type GivenRequest<Call extends HttpCall> = Call extends { body: 'octets' } ? Uint8Array : unknown;

type GivenText<Call extends HttpCall> = Call extends { replyBody: 'octets' } ? EncodedJson : never;

/**
 * Adds a route for each call, and for each of its aliases. A body is read as JSON whatever its content type says; one that
 * is not becomes `INVALID_JSON`, and what a handler throws goes the way of every error of the server.
 */
export function registerCalls<Calls extends Record<string, HttpCall>>(
  app: FastifyInstance,
  calls: Calls,
  handlers: HttpHandlers<Calls>,
  logger: Logger,
): void;
// Here nobody knows any more which of the calls takes octets: `readRequest` looks at the call itself.
export function registerCalls(
  app: FastifyInstance,
  calls: Record<string, HttpCall>,
  handlers: HttpHandlers<Record<string, HttpCall>>,
  logger: Logger,
): void {
  const waits = createWaits(app);
  for (const [name, call] of Object.entries(calls)) {
    const handle = handlers[name];
    if (handle === undefined) throw new Error(`nobody handles ${name}`);
    for (const path of [call.path, ...(call.aliases ?? [])]) {
      app.route({
        method: call.method ?? 'POST',
        url: path,
        ...(call.bodyLimit === undefined ? {} : { bodyLimit: call.bodyLimit }),
        async handler(request, reply) {
          const context: HttpContext = {
            requestId: request.id,
            logger: logger.child({ request_id: request.id, path }),
            header: (name) => readHeader(request, name),
            signal: waits.signalFor(reply),
          };
          const answer = await handle(readRequest(request, call), context);
          return answer instanceof EncodedJson ? sendText(answer, reply) : answer;
        },
      });
    }
  }
}

function readRequest({ url, body }: FastifyRequest, call: HttpCall): unknown {
  if (call.method === 'GET') return readQuery(url);
  const octets = body instanceof Uint8Array ? body : new Uint8Array();
  return call.body === 'octets' ? octets : decodeJson(octets);
}

function sendText({ octets }: EncodedJson, reply: FastifyReply): Uint8Array | Readable {
  reply.type('application/json; charset=utf-8');
  if (octets instanceof Uint8Array) return octets;
  reply.header('content-length', octets.length);
  return Readable.from(octets.parts);
}

/** Node gives the octets of a header as characters, one each. */
function readHeader({ raw }: FastifyRequest, name: string): string | undefined {
  const [octets] = raw.headersDistinct[name.toLowerCase()] ?? [];
  return octets === undefined ? undefined : Buffer.from(octets, 'latin1').toString('utf8').trim();
}

function createWaits(app: FastifyInstance): { signalFor(reply: FastifyReply): AbortSignal } {
  const waits = new Set<AbortController>();
  let isClosing = false;
  app.addHook('preClose', async () => {
    isClosing = true;
    for (const wait of waits) wait.abort();
  });
  return {
    signalFor({ raw }) {
      const wait = new AbortController();
      // A body may end after the stop has begun, or after its caller has left.
      if (isClosing || raw.closed) {
        wait.abort();
        return wait.signal;
      }
      waits.add(wait);
      raw.once('close', () => {
        waits.delete(wait);
        wait.abort();
      });
      return wait.signal;
    },
  };
}
