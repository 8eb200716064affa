// The text of a reply: collected up to a limit, and fit to be stored.
import { storableText } from '../../../infra/database/storable-text.ts';

/** Octets of a reply that are read; the rest is dropped. */
export const maxReplyOctets = 65_536;

const cutMark = '\n…(cut after 64 KiB)';

export type ReplyText = {
  /** False when the limit is reached: whatever comes after it is dropped. */
  add(chunk: Buffer): boolean;
  isEmpty(): boolean;
  /** What came so far: as text, and as a response to store, with a mark where it was cut. */
  read(): { text: string; resp: string };
};

/** Collects chunks of octets as UTF-8. */
export function createReplyText(): ReplyText {
  const chunks: Buffer[] = [];
  let octets = 0;
  let isCut = false;

  function decode(): string {
    const [first] = chunks;
    if (first === undefined) return '';
    const whole = chunks.length === 1 ? first : Buffer.concat(chunks);
    // As a stream, the decoder leaves out a character that the cut parts in two.
    return storableText(isCut ? new TextDecoder().decode(whole, { stream: true }) : whole.toString());
  }

  return {
    isEmpty: () => octets === 0,
    read() {
      const text = decode();
      return { text, resp: isCut ? text + cutMark : text };
    },
    add(chunk) {
      const room = maxReplyOctets - octets;
      if (chunk.length > room) isCut = true;
      if (room > 0) chunks.push(isCut ? chunk.subarray(0, room) : chunk);
      octets += Math.min(chunk.length, room);
      return !isCut;
    },
  };
}
