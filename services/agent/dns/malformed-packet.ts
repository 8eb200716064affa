// The one error by which the packet reader gives up on a packet.

/** Thrown while a packet is read, caught by `readReply`. */
export class MalformedPacket extends Error {
  /** True when the octets ran out at the bound that was set: the end of the packet, unless RDATA is being read. */
  readonly isAtEnd: boolean;

  constructor(reason: string, isAtEnd = false) {
    super(reason);
    this.name = 'MalformedPacket';
    this.isAtEnd = isAtEnd;
  }
}
