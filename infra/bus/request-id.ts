// The id by which one request is found in the logs of every process that touched it.
import { randomUUID } from 'node:crypto';
import { headers } from '../../contracts/subjects.ts';
import type { BusMessage } from './bus.ts';

const traceParent = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/;
const printable = /^[!-~]{1,128}$/;

/** The trace id of `traceparent` (W3C Trace Context), else `Nats-Msg-Id`, else a new one. */
export function requestId(message: BusMessage): string {
  const trace = traceParent.exec(message.header(headers.traceParent) ?? '')?.[1];
  if (trace !== undefined) return trace;
  const messageId = message.header(headers.messageId);
  return messageId !== undefined && printable.test(messageId) ? messageId : randomUUID();
}
