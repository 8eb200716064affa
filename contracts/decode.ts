// From the octets of a message to a parsed request or reply, or to the coded error that says why not.
import type { z } from 'zod';
import {
  describeFaults,
  errorReplySchema,
  faultsOf,
  invalidRequest,
  isErrorCode,
  ProbeTaskError,
} from './errors.ts';
import type { Rpc } from './rpc.ts';

const dash = '-'.charCodeAt(0);
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Parses a body as UTF-8 JSON (RFC 8259); throws `INVALID_JSON`. */
export function decodeJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'not JSON' : 'not UTF-8';
    throw new ProbeTaskError(
      'INVALID_JSON',
      body.length === 0 ? 'the body is empty' : `the body is ${reason}`,
    );
  }
}

/** Decodes and parses a request body; throws `INVALID_JSON` or `INVALID_REQUEST`. */
export function decodeRequest<Request>(
  rpc: Pick<Rpc, 'takesNothing'> & { request: z.ZodType<Request> },
  body: Uint8Array,
): Request {
  const value = decodeArguments(rpc, body);
  refuseLongLists(value, []);
  const parsed = rpc.request.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidRequest(faultsOf(parsed.error), parsed.error.issues.length);
}

function decodeArguments(rpc: Pick<Rpc, 'takesNothing'>, body: Uint8Array): unknown {
  if (!rpc.takesNothing) return decodeJson(body);
  // The contract's document writes "nothing" as a dash; both the bare octet and the JSON string are understood.
  const isNothing = body.length === 0 || (body.length === 1 && body[0] === dash);
  const argument = isNothing ? null : decodeJson(body);
  return argument === null || argument === '-' ? {} : argument;
}

/** No list of any request holds more items. */
export const maxListItems = 100_000;
/** No schema looks deeper. */
const maxDepth = 8;

/**
 * A schema looks at every item of a list before it counts them, and notes a fault for each: a message full of faulty
 * items would hold up the process for seconds. So lists are counted first.
 */
function refuseLongLists(value: unknown, path: string[]): void {
  if (Array.isArray(value)) {
    if (value.length <= maxListItems) return;
    const reason = `expected at most ${maxListItems} items, there are ${value.length}`;
    throw invalidRequest([{ path: path.join('.'), reason }]);
  }
  if (typeof value !== 'object' || value === null || path.length >= maxDepth) return;
  for (const [key, field] of Object.entries(value)) refuseLongLists(field, [...path, key]);
}

/** Decodes a reply body; throws the coded error it carries, or `INTERNAL` when it is no reply of this call. */
export function decodeReply<Reply>(rpc: { reply: z.ZodType<Reply> }, body: Uint8Array): Reply {
  const json = decodeJson(body);
  const failure = errorReplySchema.safeParse(json);
  if (failure.success) {
    const { code, message, details } = failure.data.error;
    // A code newer than this client.
    if (!isErrorCode(code)) throw new ProbeTaskError('INTERNAL', `${code}: ${message}`, details);
    throw new ProbeTaskError(code, message, details);
  }
  const parsed = rpc.reply.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new ProbeTaskError(
    'INTERNAL',
    `the reply does not fit its schema: ${describeFaults(faultsOf(parsed.error), parsed.error.issues.length)}`,
  );
}
