// Reads a possibly compressed domain name into text, in time linear to its length however it is compressed.
import { MalformedPacket } from './malformed-packet.ts';

const maxNameOctets = 255;
const maxLabelOctets = 63;
const maxPointers = 16;
// A 64 KiB reply full of A records, each under a name of 255 octets, stays below: 4,096 × 255. Only packets made to
// cost time or memory get above.
const maxExpandedOctets = 1 << 20;

export type ReadName = {
  /** Each label followed by a dot; the root is the empty text, so that a suffix can be appended. */
  text: string;
  /** Octets of the whole name when not compressed. */
  wireLength: number;
  /** Pointers followed. */
  pointers: number;
  /** Where the octets after the name start. */
  end: number;
};

/** What is known of the names of one packet: each name is read once, however many pointers lead to it. */
export type NameTable = {
  /** Most packets repeat the name of the question and no other: a Map for that one costs more than to read it. */
  first: ReadName | null;
  firstStart: number;
  others: Map<number, ReadName> | null;
  expandedOctets: number;
};

/** An empty table, to be used for one packet only. */
export function createNameTable(): NameTable {
  return { first: null, firstStart: 0, others: null, expandedOctets: 0 };
}

function findName({ first, firstStart, others }: NameTable, start: number): ReadName | undefined {
  return first !== null && start === firstStart ? first : others?.get(start);
}

function keepName(table: NameTable, start: number, name: ReadName): void {
  if (table.first === null || start === table.firstStart) {
    table.first = name;
    table.firstStart = start;
  } else {
    table.others ??= new Map();
    table.others.set(start, name);
  }
}

/**
 * Reads the name at `start`, whose own octets may not reach `limit` (RFC 1035 section 4.1.4). Pointers lead strictly
 * backwards, to octets that end before the label sequence that holds the pointer, 16 of them at most. Throws
 * MalformedPacket for anything else, for label types 0x40 and 0x80, for names over 255 octets, and when the names of
 * this packet add up to more than 1 MiB.
 */
export function readName(packet: Buffer, start: number, limit: number, table: NameTable): ReadName {
  return readLabels(packet, start, limit, maxPointers, table);
}

// Shared, since reading is synchronous: written and turned into a string within one call of writeLabels.
const scratch = Buffer.alloc(maxNameOctets * 4);

const plain = 0;
const escaped = 1;
const decimal = 2;
const octetKinds = classifyOctets();

function readLabels(
  packet: Buffer,
  start: number,
  limit: number,
  pointersLeft: number,
  table: NameTable,
): ReadName {
  let offset = start;
  let count = octetAt(packet, offset, limit);
  while (count !== 0 && count <= maxLabelOctets) {
    offset += 1 + count;
    if (offset - start >= maxNameOctets) throw new MalformedPacket('a name has more than 255 octets');
    count = octetAt(packet, offset, limit);
  }
  const labelsEnd = offset;
  let suffix: ReadName | undefined;
  if (count !== 0) {
    if (count < 0xc0) throw new MalformedPacket('a label has a reserved type');
    const target = ((count & 0x3f) << 8) | octetAt(packet, offset + 1, limit);
    suffix = followPointer(packet, start, target, pointersLeft, table);
  }

  const wireLength = labelsEnd - start + (suffix === undefined ? 1 : suffix.wireLength);
  if (wireLength > maxNameOctets) throw new MalformedPacket('a name has more than 255 octets');
  table.expandedOctets += wireLength;
  if (table.expandedOctets > maxExpandedOctets)
    throw new MalformedPacket('the names expand to more than 1 MiB');

  const ownText = labelsEnd === start ? '' : writeLabels(packet, start, labelsEnd);
  const name =
    suffix === undefined
      ? { text: ownText, wireLength, pointers: 0, end: labelsEnd + 1 }
      : { text: ownText + suffix.text, wireLength, pointers: suffix.pointers + 1, end: labelsEnd + 2 };
  if (labelsEnd !== start) keepName(table, start, name);
  return name;
}

function octetAt(packet: Buffer, offset: number, limit: number): number {
  if (offset >= limit) throw new MalformedPacket('a name runs past its bounds', limit === packet.length);
  return packet[offset] ?? 0;
}

/** The name a pointer at the end of the labels from `start` on leads to. */
function followPointer(
  packet: Buffer,
  start: number,
  target: number,
  pointersLeft: number,
  table: NameTable,
): ReadName {
  if (pointersLeft === 0) throw new MalformedPacket('a name has a pointer too many');
  if (target >= start) throw new MalformedPacket('a name points forward or to itself');
  const known = findName(table, target);
  if (known === undefined) return readLabels(packet, target, start, pointersLeft - 1, table);
  if (known.end > start) throw new MalformedPacket('a name points into itself');
  if (known.pointers >= pointersLeft) throw new MalformedPacket('a name has a pointer too many');
  return known;
}

/** The text of the labels from `start` to `end`, each followed by a dot. */
function writeLabels(packet: Buffer, start: number, end: number): string {
  let written = 0;
  let labelEnd = start;
  for (let offset = start; offset < end; offset += 1) {
    const octet = packet[offset] ?? 0;
    if (offset === labelEnd) {
      if (offset > start) scratch[written++] = 0x2e;
      labelEnd += 1 + octet;
      continue;
    }
    const kind = octetKinds[octet];
    if (kind === plain) {
      scratch[written++] = octet;
      continue;
    }
    scratch[written++] = 0x5c;
    if (kind === decimal) {
      scratch[written++] = 0x30 + Math.trunc(octet / 100);
      scratch[written++] = 0x30 + (Math.trunc(octet / 10) % 10);
      scratch[written++] = 0x30 + (octet % 10);
    } else scratch[written++] = octet;
  }
  scratch[written++] = 0x2e;
  return scratch.toString('latin1', 0, written);
}

function classifyOctets(): Uint8Array {
  const kinds = new Uint8Array(256).fill(decimal);
  kinds.fill(plain, 0x21, 0x7f);
  for (const character of '"().;\\@$') kinds[character.charCodeAt(0)] = escaped;
  return kinds;
}
