// Callbacks by JSON-RPC 1.0 over TCP, as Go's net/rpc/jsonrpc speaks it: one connection a call, messages end in a newline.
import { z } from 'zod';
import { describeError } from '../../../infra/error-text.ts';
import type { Work } from './attempt.ts';
import { type Callback, type CallbackOutcome, failed } from './callback.ts';
import { explainConnectionFault } from './connection-fault.ts';
import type { GuardedConnect } from './guarded-connect.ts';
import { createReplyText, maxReplyOctets } from './reply-text.ts';
import { matchesPattern } from './response-pattern.ts';
import type { RpcTarget } from './target.ts';

declare global {
  interface JSON {
    /** ECMAScript's text as it stands in printed JSON; Node.js has it, the declarations do not yet. */
    rawJSON(text: string): unknown;
  }
}

const replySchema = z.looseObject({
  id: z.unknown().optional(),
  result: z.unknown().optional(),
  error: z.unknown().optional(),
});
/** The first of its connection. */
const requestId = 0;
const newline = 0x0a;

/** Calls one method with the body, which is JSON, as its only parameter; the result's JSON is the reply. */
export function prepareRpcCall(
  { body, respRegexp }: Callback,
  { host, port, method }: RpcTarget,
  { openSocket }: Pick<GuardedConnect, 'openSocket'>,
): Work {
  return (settle) => {
    const socket = openSocket(host, port);
    const reply = createReplyText();
    let isConnected = false;

    function end(outcome: CallbackOutcome): void {
      settle(outcome);
      socket.destroy();
    }
    function endWithReply(): void {
      end(judge(reply.read().text, respRegexp));
    }

    socket.on('connect', () => {
      isConnected = true;
    });
    socket.on('data', (chunk: Buffer) => {
      const length = chunk.indexOf(newline);
      if (!reply.add(length === -1 ? chunk : chunk.subarray(0, length))) {
        end(failed('BAD_REPLY', `the reply is over ${maxReplyOctets} octets`, reply.read().resp));
      } else if (length !== -1) endWithReply();
    });
    socket.on('end', () => {
      if (!reply.isEmpty()) endWithReply();
      // Go does so with what it cannot read.
      else end(failed('NETWORK_ERROR', 'the server closed the connection without a reply'));
    });
    socket.on('error', (error) => {
      const { code, reason } = explainConnectionFault(error);
      end(failed(code, reason, reply.read().resp));
    });
    socket.write(encodeRequest(method, body));

    return (code, reason) => {
      socket.destroy();
      const progress = isConnected ? 'no complete reply' : 'no connection, nothing was sent';
      return failed(code, `${progress} (${reason})`, reply.read().resp);
    };
  };
}

/** The body stays as it is written: parsed and printed again, ids of 64 bits would lose their last digits. */
function encodeRequest(method: string, body: string): string {
  const parameter = body.trim() === '' ? 'null' : body;
  return `{"method":${JSON.stringify(method)},"params":[${parameter}],"id":${requestId}}\n`;
}

function judge(text: string, respRegexp: string): CallbackOutcome {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text, keepDigits);
  } catch (error) {
    return failed('BAD_REPLY', `not JSON: ${describeError(error)}`, text);
  }
  const reply = replySchema.safeParse(parsed);
  if (!reply.success) return failed('BAD_REPLY', 'not a JSON-RPC reply', text);
  const { id, result, error } = reply.data;
  if (JSON.stringify(id) !== String(requestId))
    return failed('BAD_REPLY', 'a reply to another request', text);
  if (error !== null && error !== undefined) {
    return failed('RPC_ERROR', typeof error === 'string' ? error : JSON.stringify(error), text);
  }
  const resp = JSON.stringify(result ?? null);
  if (!matchesPattern(respRegexp, resp))
    return failed('NO_MATCH', 'the result does not match resp_regexp', resp);
  return { isOk: true, resp, respCode: null, err: '' };
}

/** Numbers are printed again as they were written. */
function keepDigits(_key: string, value: unknown, context?: { source?: string }): unknown {
  return typeof value === 'number' && context?.source !== undefined ? JSON.rawJSON(context.source) : value;
}
