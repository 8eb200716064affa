// Callbacks to services on the bus: a request to a subject.
import { ProbeTaskError } from '../../../contracts/errors.ts';
import { headers } from '../../../contracts/subjects.ts';
import type { Bus, BusMessage } from '../../../infra/bus/bus.ts';
import { describeError } from '../../../infra/error-text.ts';
import type { Work } from './attempt.ts';
import { type Callback, type CallbackOutcome, failed } from './callback.ts';
import { createReplyText } from './reply-text.ts';
import { matchesPattern } from './response-pattern.ts';
import type { NatsTarget } from './target.ts';

/**
 * Sends the body as it is. `Nats-Msg-Id` holds the same as `webhook-id`: services log it as the id of the request, and a
 * stream that takes the subject stores one occurrence once, however often it is tried within the stream's window.
 */
export function prepareNatsCall(
  { body, messageId, timeoutMs, respRegexp }: Callback,
  { subject }: NatsTarget,
  bus: Pick<Bus, 'request' | 'isConnected'>,
): Work {
  return (settle) => {
    const request = {
      body: Buffer.from(body),
      headers: { 'webhook-id': messageId, [headers.messageId]: messageId },
      // The deadline of the call comes first, and tells more.
      timeoutMs: timeoutMs + 1000,
    };
    bus.request(subject, request).then(
      (reply) => settle(judge(reply, respRegexp)),
      (error: unknown) => settle(explain(error, subject, bus)),
    );
    return (code, reason) => failed(code, `no reply (${reason})`);
  };
}

function judge(reply: BusMessage, respRegexp: string): CallbackOutcome {
  const content = createReplyText();
  content.add(Buffer.from(reply.body.buffer, reply.body.byteOffset, reply.body.byteLength));
  const { text, resp } = content.read();
  const errorCode = reply.header(headers.errorCode);
  if (errorCode !== undefined) {
    const reason = reply.header(headers.errorText) ?? '';
    return failed('SERVICE_ERROR', `${errorCode} ${reason}`.trim(), resp);
  }
  if (matchesPattern(respRegexp, text)) return { isOk: true, resp, respCode: null, err: '' };
  return failed('NO_MATCH', 'the reply does not match resp_regexp', resp);
}

function explain(error: unknown, subject: string, bus: Pick<Bus, 'isConnected'>): CallbackOutcome {
  const reason = describeError(error);
  if (!(error instanceof ProbeTaskError)) return failed('NETWORK_ERROR', reason);
  if (error.code === 'TIMEOUT') return failed('TIMEOUT', reason);
  if (error.code === 'PAYLOAD_TOO_LARGE') return failed('BAD_CALLBACK', reason);
  // The bus has one code for a subject without listeners and for a connection that is away.
  return bus.isConnected()
    ? failed('NO_RESPONDERS', `nobody listens on ${subject}`)
    : failed('NETWORK_ERROR', reason);
}
