// Callbacks by HTTP: POST and GET, one request each, never repeated by themselves.
import { STATUS_CODES } from 'node:http';
import { Agent, type Dispatcher } from 'undici';
import { version } from '../../../infra/version.ts';
import type { Interrupt, Work } from './attempt.ts';
import { type Callback, type CallbackOutcome, failed } from './callback.ts';
import { explainConnectionFault } from './connection-fault.ts';
import { encodeForm } from './form-body.ts';
import type { GuardedConnect } from './guarded-connect.ts';
import { createReplyText } from './reply-text.ts';
import { matchesPattern } from './response-pattern.ts';
import type { HttpTarget } from './target.ts';
import { webhookHeaders } from './webhook-headers.ts';

export type HttpCalls = {
  prepare(callback: Callback, target: HttpTarget, secret: string | undefined): Work;
  /** Cuts all connections. */
  stop(): Promise<void>;
};

/** A call beyond these would wait for a connection, and its time would run: whoever calls makes no more of them at once. */
export const maxConnectionsPerTarget = 256;
/**
 * A server closes idle connections, and a request may meet the close on its way: whether it was carried out nobody knows
 * then, so the call fails and is not repeated unasked. Closing first makes it rare: the shortest limit among common
 * servers (Gunicorn) is 2 s. A server that names its own limit (`Keep-Alive: timeout=…`) is believed up to 30 s.
 */
const keepAliveMs = 1500;
const longestKeepAliveMs = 30_000;

const userAgent = `probe-task-crontab/${version}`;
const contentTypes = { 1: 'application/json', 2: 'application/x-www-form-urlencoded' } as const;
/** Ends a request; never seen, and made once because its stack would cost more than a request does. */
const isOver = new Error('the call is over');

/** HTTP/1.1 over kept connections; no redirects, no proxies, no decompression. */
export function createHttpCalls({ connector }: Pick<GuardedConnect, 'connector'>): HttpCalls {
  const agent = new Agent({
    connect: connector,
    allowH2: false,
    connections: maxConnectionsPerTarget,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: longestKeepAliveMs,
    // The deadline of the call covers both.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    prepare: (callback, target, secret) => (settle) => {
      const request = planRequest(callback, target, secret);
      if ('err' in request) {
        settle(request);
        return () => request;
      }
      const exchange = createExchange(callback.respRegexp, settle);
      agent.dispatch(request, exchange.handler);
      return exchange.interrupt;
    },
    stop: () => agent.destroy(),
  };
}

function planRequest(
  { method, body, bodyType, messageId }: Callback,
  { origin, path }: HttpTarget,
  secret: string | undefined,
): Dispatcher.DispatchOptions | CallbackOutcome {
  const form = bodyType === 2 ? encodeForm(body) : { ok: true as const, text: body };
  if (!form.ok) return failed('BAD_CALLBACK', `the body ${form.reason}`);
  const isQuery = method === 'get' && bodyType === 2;
  const payload = isQuery ? '' : form.text;
  const headers = webhookHeaders({ messageId, payload, secret }, Date.now());
  headers.push('user-agent', userAgent);
  if (payload !== '') headers.push('content-type', contentTypes[bodyType]);
  return {
    origin,
    path: isQuery && form.text !== '' ? addToQuery(path, form.text) : path,
    method: method === 'get' ? 'GET' : 'POST',
    headers,
    body: payload === '' ? null : payload,
  };
}

/** Text that is passed on as it is may hold what no query can: that is encoded as in a URL. */
function addToQuery(path: string, text: string): string {
  const url = new URL('http://query');
  url.search = text;
  return path.includes('?') ? `${path}&${url.search.slice(1)}` : path + url.search;
}

/** Takes what the client reports of one request. */
function createExchange(
  respRegexp: string,
  settle: (outcome: CallbackOutcome) => void,
): { handler: Dispatcher.DispatchHandler; interrupt: Interrupt } {
  const reply = createReplyText();
  let controller: Dispatcher.DispatchController | undefined;
  let hasEnded = false;
  let status: number | null = null;
  let location: string | string[] | undefined;

  function finish(): void {
    hasEnded = true;
    settle(judge(status ?? 0, location, reply.read(), respRegexp));
  }

  return {
    handler: {
      onRequestStart(given) {
        controller = given;
        // It had waited for a connection for too long; nothing of it is sent.
        if (hasEnded) given.abort(isOver);
      },
      onResponseStart(_controller, given, headers) {
        // Those below 200 announce another.
        if (given < 200) return;
        status = given;
        location = headers.location;
      },
      onResponseData(given, chunk) {
        if (hasEnded || reply.add(chunk)) return;
        finish();
        given.abort(isOver);
      },
      onResponseEnd() {
        if (!hasEnded) finish();
      },
      onResponseError(_controller, error) {
        if (hasEnded) return;
        hasEnded = true;
        const { code, reason } = explainConnectionFault(error);
        settle(failed(code, reason, reply.read().resp, status));
      },
    },
    interrupt(code, reason) {
      hasEnded = true;
      const progress =
        controller === undefined
          ? 'no connection, nothing was sent'
          : status === null
            ? 'no reply'
            : 'the reply was not complete';
      controller?.abort(isOver);
      return failed(code, `${progress} (${reason})`, reply.read().resp, status);
    },
  };
}

function judge(
  status: number,
  location: string | string[] | undefined,
  { text, resp }: { text: string; resp: string },
  respRegexp: string,
): CallbackOutcome {
  if (status >= 200 && status < 300) {
    if (matchesPattern(respRegexp, text)) return { isOk: true, resp, respCode: status, err: '' };
    return failed('NO_MATCH', 'the reply does not match resp_regexp', resp, status);
  }
  const where = location === undefined ? '' : ` to ${location}`;
  const meaning = status < 400 ? `redirects are not followed${where}` : (STATUS_CODES[status] ?? 'unknown');
  return failed('HTTP_STATUS', `${status}, ${meaning}`, resp, status);
}
