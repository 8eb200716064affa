// The reply to what cannot be read as an HTTP request, written by hand: no request exists yet.
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { describeUnreadable, type FormatError, type StatusOf } from './coded-error.ts';

/** Replies and closes the connection; gives the status, or undefined where nobody is left to reply to. */
export function answerUnreadable(
  fault: unknown,
  socket: Socket,
  { formatError, statusOf }: { formatError: FormatError; statusOf: StatusOf },
): string | undefined {
  if (!socket.writable) {
    socket.destroy();
    return undefined;
  }
  const { error, ...given } = describeUnreadable(fault);
  const status = given.status ?? statusOf(error);
  const body = JSON.stringify(formatError(error));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  return String(status);
}
