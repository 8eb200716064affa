// The JSON of a reply, written piece by piece.
import type { PathReply } from '../../../contracts/path-reply.ts';

/**
 * As `JSON.stringify` writes it, in octets; undefined when there are more than `maxOctets`. In one go it could take all the
 * memory of its thread, and with it the process: a thread ends between two pieces only.
 */
export function encodeReply(reply: PathReply, maxOctets: number): Uint8Array<ArrayBuffer> | undefined {
  const encoder = new TextEncoder();
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (const text of pieceTexts(reply)) {
    const piece = encoder.encode(text);
    pieces.push(piece);
    length += piece.length;
    if (length > maxOctets) return undefined;
  }
  const octets = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    octets.set(piece, at);
    at += piece.length;
  }
  return octets;
}

function* pieceTexts({ info, data }: PathReply): Generator<string> {
  yield `{"info":${JSON.stringify(info)},"data":[`;
  let separator = '';
  for (const { data: found, ...algorithm } of data) {
    yield `${separator}${JSON.stringify(algorithm).slice(0, -1)},"data":`;
    if (Array.isArray(found)) yield* listTexts(found);
    else yield JSON.stringify(found);
    yield '}';
    separator = ',';
  }
  yield ']}';
}

function* listTexts(items: readonly unknown[]): Generator<string> {
  yield '[';
  let separator = '';
  for (const item of items) {
    yield `${separator}${JSON.stringify(item)}`;
    separator = ',';
  }
  yield ']';
}
