// Reads a reply into records of text, whatever octets it is made of.

import { formatRcode } from '../../../contracts/dns-rcode.ts';
import { formatRtype } from '../../../contracts/dns-rtype.ts';
import type { SectionRecord } from '../../../contracts/probe.ts';
import { MalformedPacket } from './malformed-packet.ts';
import { PacketReader } from './packet-reader.ts';
import { formatRdclass } from './rdclass.ts';
import { formatRdata } from './record-text.ts';

export type DnsReply = {
  /** 0–4095: the four bits of the header and the eight of the OPT record. */
  rcode: number;
  /** Name of the rcode, or its number. */
  status: string;
  truncated: boolean;
  /** Those set of aa, tc, rd, ra, ad, cd, in this order. */
  flags: string[];
  answer: SectionRecord[];
  authority: SectionRecord[];
  /** Without the OPT record. */
  additional: SectionRecord[];
  hasEdns: boolean;
};

export type ReadReply = { kind: 'reply'; reply: DnsReply } | { kind: 'malformed'; reason: string };

const headerOctets = 12;
const minQuestionOctets = 5;
const minRecordOctets = 11;
const optType = 41;
const tsigType = 250;
const truncatedFlag = 0x0200;

const flagNames: readonly (readonly [number, string])[] = [
  [0x0400, 'aa'],
  [truncatedFlag, 'tc'],
  [0x0100, 'rd'],
  [0x0080, 'ra'],
  [0x0020, 'ad'],
  [0x0010, 'cd'],
];
const flagBits = flagNames.reduce((bits, [flag]) => bits | flag, 0);
/** By the flags that are set; there are 64 sets of them. */
const flagTexts = new Map<number, readonly string[]>();

/**
 * Parses a whole DNS message (RFC 1035 section 4). Never throws; the time is bounded by the length of the packet.
 * A record that does not fit its RDLENGTH or breaks the rules of its type, a name that loops, an OPT record out of
 * place (RFC 6891), a TSIG record (no query of ours is signed) and octets after the last record make the reply
 * malformed. With `allowCut` a packet that ends within a record yields the records before it, and surplus octets
 * pass: for truncated replies when TCP is of no avail.
 */
export function readReply(packet: Buffer, options: { allowCut?: boolean } = {}): ReadReply {
  if (packet.length < headerOctets)
    return { kind: 'malformed', reason: 'the packet is shorter than a header' };
  const counts = readCounts(packet);
  const allowCut = options.allowCut === true;
  const least = counts.questions * minQuestionOctets + counts.records * minRecordOctets;
  if (!allowCut && least > packet.length - headerOctets)
    return { kind: 'malformed', reason: 'the header counts more records than fit' };

  const reply = readHeader(packet);
  const reader = new PacketReader(packet, headerOctets);
  try {
    readSections(reader, counts, reply, allowCut);
  } catch (error) {
    const isMalformed = error instanceof MalformedPacket;
    // Anything else is a fault of the reader: one packet less, and a reason that shows it.
    if (!isMalformed) return { kind: 'malformed', reason: `reader fault: ${String(error)}` };
    if (!allowCut || !error.isAtEnd || reader.isInRdata) return { kind: 'malformed', reason: error.message };
  }
  reply.status = formatRcode(reply.rcode);
  return { kind: 'reply', reply };
}

type Counts = { questions: number; answer: number; authority: number; additional: number; records: number };

function readCounts(packet: Buffer): Counts {
  const questions = packet.readUInt16BE(4);
  const answer = packet.readUInt16BE(6);
  const authority = packet.readUInt16BE(8);
  const additional = packet.readUInt16BE(10);
  return { questions, answer, authority, additional, records: answer + authority + additional };
}

function readHeader(packet: Buffer): DnsReply {
  const bits = packet.readUInt16BE(2);
  return {
    rcode: bits & 0x0f,
    status: '',
    truncated: (bits & truncatedFlag) !== 0,
    flags: namesOfFlags(bits & flagBits),
    answer: [],
    authority: [],
    additional: [],
    hasEdns: false,
  };
}

/** A copy of one list for each set of flags, since whoever gets it may change it. */
function namesOfFlags(set: number): string[] {
  let names = flagTexts.get(set);
  if (names === undefined) {
    names = flagNames.filter(([flag]) => (set & flag) !== 0).map(([, name]) => name);
    flagTexts.set(set, names);
  }
  return names.slice();
}

function readSections(reader: PacketReader, counts: Counts, reply: DnsReply, allowCut: boolean): void {
  for (let index = 0; index < counts.questions; index += 1) {
    reader.name();
    reader.take(4);
  }
  readSection(reader, counts.answer, reply.answer, reply);
  readSection(reader, counts.authority, reply.authority, reply);
  readSection(reader, counts.additional, reply.additional, reply);
  if (!allowCut && reader.left() > 0) throw new MalformedPacket('octets follow the last record');
}

function readSection(reader: PacketReader, count: number, section: SectionRecord[], reply: DnsReply): void {
  for (let index = 0; index < count; index += 1) {
    const name = reader.name();
    const rdtype = reader.uint16();
    const rdclass = reader.uint16();
    const ttl = reader.uint32();
    if (rdtype === tsigType) throw new MalformedPacket('the reply is signed, its query was not');
    reader.enterRdata(reader.uint16());
    if (rdtype === optType) {
      if (section !== reply.additional || reply.hasEdns || name !== '.')
        throw new MalformedPacket('an OPT record is out of place');
      skipOptions(reader);
      reply.hasEdns = true;
      reply.rcode |= (ttl >>> 24) << 4;
    } else {
      const result = formatRdata(reader, rdclass, rdtype);
      // A TTL with the topmost bit set counts as zero (RFC 2181 section 8).
      const seconds = ttl > 0x7fffffff ? 0 : ttl;
      section.push({
        name,
        ttl: seconds,
        rdclass: formatRdclass(rdclass),
        rdtype: formatRtype(rdtype),
        result,
      });
    }
    reader.leaveRdata();
  }
}

/** Options are checked for their bounds only: a resolver's odd option is no reason to lose its answer. */
function skipOptions(reader: PacketReader): void {
  while (reader.left() > 0) {
    reader.take(2);
    reader.take(reader.uint16());
  }
}
