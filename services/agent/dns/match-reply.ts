// Tells cheaply, before anything is parsed, whether a packet answers a query of ours.

const headerOctets = 12;
const qrBit = 0x80;
const opcodeBits = 0x78;
const truncatedBit = 0x02;
// FORMERR, SERVFAIL, NOTIMP, REFUSED: servers send these as a bare header when they did not take in the question.
// Only port and id vouch for such a reply, so it may end a query but never bring it an answer or a name that does not
// exist: NOERROR (cut replies too) and NXDOMAIN count with the question alone.
const questionlessRcodes = new Set([1, 2, 4, 5]);

/**
 * True when `reply` has the id, opcode and question of `query` (name compared without regard to ASCII case) and is
 * marked as a reply. An error reply without a question counts as well. Reads no further than the question.
 */
export function isReplyTo(reply: Buffer, query: Buffer): boolean {
  if (reply.length < headerOctets || query.length < headerOctets) return false;
  if (reply.readUInt16BE(0) !== query.readUInt16BE(0)) return false;
  const flags = reply.readUInt8(2);
  if ((flags & qrBit) === 0 || (flags & opcodeBits) !== (query.readUInt8(2) & opcodeBits)) return false;
  const questions = reply.readUInt16BE(4);
  if (questions === 0) return questionlessRcodes.has(reply.readUInt8(3) & 0x0f);
  return questions === 1 && hasQuestionOf(reply, query);
}

/** True when the TC bit is set. A packet shorter than a header is not truncated, it is malformed. */
export function isTruncated(reply: Buffer): boolean {
  return reply.length >= headerOctets && (reply.readUInt8(2) & truncatedBit) !== 0;
}

/** Compares label by label; the query's name is one of ours, thus without pointers. */
function hasQuestionOf(reply: Buffer, query: Buffer): boolean {
  let offset = headerOctets;
  for (;;) {
    if (offset >= query.length || offset >= reply.length) return false;
    const count = query.readUInt8(offset);
    if (count > 63 || reply.readUInt8(offset) !== count) return false;
    offset += 1;
    if (count === 0) break;
    const labelEnd = offset + count;
    if (labelEnd > query.length || labelEnd > reply.length) return false;
    for (; offset < labelEnd; offset += 1) {
      const ours = query[offset] ?? 0;
      const theirs = reply[offset] ?? 0;
      if (ours !== theirs && lowerCase(ours) !== lowerCase(theirs)) return false;
    }
  }
  if (offset + 4 > query.length || offset + 4 > reply.length) return false;
  return query.readUInt32BE(offset) === reply.readUInt32BE(offset);
}

function lowerCase(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}
