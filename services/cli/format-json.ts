// The bodies of `--json`: the reply as it came, or the error in the contract's envelope.
import { decodeJson } from '../../contracts/decode.ts';
import { errorReplySchema, formatErrorReply, ProbeTaskError } from '../../contracts/errors.ts';

// JSON.stringify escapes the other control characters itself; those above are the same within its strings.
const unescaped = /[\u007f-\u009f\p{Bidi_Control}\u2028\u2029]/gu;

/** One JSON document with a newline: octet for octet where a program reads it, indented on a terminal. */
export function formatReplyJson(body: Uint8Array, isTerminal: boolean): string {
  return isTerminal ? indent(decodeJson(body)) : `${Buffer.from(body).toString('utf8')}\n`;
}

/** One JSON document of what several replies held. */
export function formatDocumentJson(document: unknown, isTerminal: boolean): string {
  return isTerminal ? indent(document) : `${JSON.stringify(document)}\n`;
}

/** The error reply as the service sent it in `reply` (empty: it sent none), else one made from the error. */
export function formatErrorJson(error: ProbeTaskError, reply: Uint8Array, isTerminal: boolean): string {
  if (isErrorReply(reply)) return formatReplyJson(reply, isTerminal);
  return formatDocumentJson(formatErrorReply(error), isTerminal);
}

function isErrorReply(body: Uint8Array): boolean {
  try {
    return errorReplySchema.safeParse(decodeJson(body)).success;
  } catch (error) {
    if (error instanceof ProbeTaskError) return false;
    throw error;
  }
}

function indent(document: unknown): string {
  const text = JSON.stringify(document, null, 2).replaceAll(
    unescaped,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `${text}\n`;
}
