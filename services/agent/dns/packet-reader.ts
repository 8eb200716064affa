// A cursor over one DNS message that never reads outside the bounds it was set.
import { MalformedPacket } from './malformed-packet.ts';
import { createNameTable, readName } from './read-name.ts';

// One octet of a bitmap can stand for eighty characters of text. Above what 64 KiB of ordinary NSEC records hold.
const maxBitmapItems = 32_768;

/** Reads the RDATA the reader is bounded to and gives its text. */
export type RdataFormat = (rdata: PacketReader) => string;

// `take` has seen to the bounds already: reading by index costs a third of what `readUInt16BE` does.
/** Integers are unsigned and in network order; every read moves the cursor and throws MalformedPacket at `end`. */
export class PacketReader {
  readonly packet: Buffer;
  offset: number;
  /** Where the part being read ends: the packet itself, or the RDATA of one record. */
  end: number;
  isInRdata = false;
  readonly #names = createNameTable();
  #bitmapItems = 0;

  constructor(packet: Buffer, offset: number) {
    this.packet = packet;
    this.offset = offset;
    this.end = packet.length;
  }

  /** Octets left before `end`. */
  left(): number {
    return this.end - this.offset;
  }

  /** Moves over `octets` octets and gives the offset of the first. */
  take(octets: number): number {
    const start = this.offset;
    if (start + octets > this.end) throw new MalformedPacket('a field runs past its bounds', true);
    this.offset = start + octets;
    return start;
  }

  /** Bounds the reader to the next `octets` octets, which must be there. */
  enterRdata(octets: number): void {
    const start = this.take(octets);
    this.offset = start;
    this.end = start + octets;
    this.isInRdata = true;
  }

  /** Moves behind the RDATA, bounded by the packet again. */
  leaveRdata(): void {
    this.offset = this.end;
    this.end = this.packet.length;
    this.isInRdata = false;
  }

  uint8(): number {
    return this.packet[this.take(1)] ?? 0;
  }

  uint16(): number {
    const { packet } = this;
    const start = this.take(2);
    return ((packet[start] ?? 0) << 8) | (packet[start + 1] ?? 0);
  }

  uint32(): number {
    return this.packet.readUInt32BE(this.take(4));
  }

  /** The next `octets` octets, shared with the packet. */
  octets(octets: number): Buffer {
    const start = this.take(octets);
    return this.packet.subarray(start, start + octets);
  }

  /** All octets before `end`, shared with the packet. */
  rest(): Buffer {
    return this.octets(this.left());
  }

  /** A string preceded by its length in one octet. */
  countedOctets(): Buffer {
    return this.octets(this.uint8());
  }

  /**
   * The positions of the bits set in a bitmap, the topmost bit of the first octet being 0. Throws MalformedPacket
   * when those of this packet add up to more than 32,768.
   */
  bitPositions(bitmap: Buffer): number[] {
    const positions: number[] = [];
    for (let index = 0; index < bitmap.length; index += 1) {
      const octet = bitmap.readUInt8(index);
      for (let bit = 0; octet !== 0 && bit < 8; bit += 1)
        if ((octet & (0x80 >> bit)) !== 0) positions.push(index * 8 + bit);
    }
    this.#bitmapItems += positions.length;
    if (this.#bitmapItems > maxBitmapItems) throw new MalformedPacket('the bitmaps list too many items');
    return positions;
  }

  /** A name, compressed or not, in presentation form with its trailing dot. */
  name(): string {
    const name = readName(this.packet, this.offset, this.end, this.#names);
    this.offset = name.end;
    return name.text === '' ? '.' : name.text;
  }
}
