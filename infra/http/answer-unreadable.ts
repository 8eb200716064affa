// The reply to what cannot be read as an HTTP request, written by hand: no request exists yet.
import type { Socket } from 'node:net';
import { describeUnreadable, type FormatError } from './coded-error.ts';

/** Replies and closes the connection; gives the status, or undefined where nobody is left to reply to. */
export function answerUnreadable(
  fault: unknown,
  socket: Socket,
  formatError: FormatError,
): string | undefined {
  if (!socket.writable) {
    socket.destroy();
    return undefined;
  }
  const { statusLine, error } = describeUnreadable(fault);
  const body = JSON.stringify(formatError(error));
  const head = [
    `HTTP/1.1 ${statusLine}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
  return statusLine.slice(0, 3);
}
