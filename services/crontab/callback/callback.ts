// One call of a task's callback, and what came of it.
import { storableText } from '../../../infra/database/storable-text.ts';

export type Callback = {
  method: 'post' | 'get' | 'rpc' | 'nats';
  /** `http(s)://host/path`; of rpc `host:port/service.method`; of nats a subject. */
  url: string;
  body: string;
  /** 1 JSON, 2 form. */
  bodyType: 1 | 2;
  /** RE2; empty and `*` mean anything. */
  respRegexp: string;
  /** For everything: finding the address, connecting, the reply to its last octet. */
  timeoutMs: number;
  /** `whsec_…`; without one the service's own is used. */
  secret: string | null;
  /** The same for all tries of one occurrence; printable ASCII. */
  messageId: string;
};

export type CallbackOutcome = {
  isOk: boolean;
  /** What was read of the reply, also of one that is no success; a mark at its end says where it was cut. */
  resp: string;
  /** HTTP status; null when none came. */
  respCode: number | null;
  /** Empty on success, else `CODE: reason`. */
  err: string;
};

/** First word of `err`. */
export type CallbackFaultCode =
  /** The reply's status is none of 2xx; redirects are not followed. */
  | 'HTTP_STATUS'
  /** The reply does not match `respRegexp`. */
  | 'NO_MATCH'
  | 'TIMEOUT'
  | 'CONN_REFUSED'
  /** No address, no route, TLS, or a connection that broke. */
  | 'NETWORK_ERROR'
  /** The address is one that callbacks may not go to. */
  | 'FORBIDDEN_NETWORK'
  /** The called method says that it failed. */
  | 'RPC_ERROR'
  /** What came is no reply of the protocol. */
  | 'BAD_REPLY'
  /** Nobody listens on the subject. */
  | 'NO_RESPONDERS'
  /** The service on the bus replied with an error. */
  | 'SERVICE_ERROR'
  /** Given up by this side, which is stopping. */
  | 'ABORTED'
  /** The task as stored cannot be called. */
  | 'BAD_CALLBACK';

const maxReasonLength = 300;

/** The outcome of a call that failed; `reason` is cut after 300 characters. */
export function failed(
  code: CallbackFaultCode,
  reason: string,
  resp = '',
  respCode: number | null = null,
): CallbackOutcome {
  const text = reason.length > maxReasonLength ? `${reason.slice(0, maxReasonLength)}…` : reason;
  return { isOk: false, resp, respCode, err: `${code}: ${storableText(text)}` };
}
