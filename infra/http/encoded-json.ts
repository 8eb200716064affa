// A reply that is JSON text already, such as a result of megabytes as the database keeps it.

/** Text that comes piece by piece, as fast as the caller reads; a failure breaks the connection off. */
export type OctetParts = { length: number; parts: AsyncIterable<Uint8Array> };

/** Is sent as it is. */
export class EncodedJson {
  readonly octets: Uint8Array | OctetParts;

  constructor(octets: Uint8Array | OctetParts) {
    this.octets = octets;
  }
}
