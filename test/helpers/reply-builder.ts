// Builds DNS replies octet by octet, correct or deliberately not.

export type BuiltRecord = {
  /** Wire form of the owner; the question's name unless given. */
  owner?: Buffer;
  rtype: number;
  rclass?: number;
  ttl?: number;
  rdata: Buffer;
  /** What RDLENGTH says, if not the truth. */
  rdlength?: number;
};

export type BuiltReply = {
  id?: number;
  /** Octets 2–3 of the header; 0x8180 (QR, RD, RA) unless given. */
  bits?: number;
  qname?: Buffer;
  qtype?: number;
  answer?: BuiltRecord[];
  authority?: BuiltRecord[];
  additional?: BuiltRecord[];
  trailer?: Buffer;
};

/** A pointer to `offset`; 12 is the name in the question. */
export function pointer(offset: number): Buffer {
  return Buffer.from([0xc0 | (offset >> 8), offset & 0xff]);
}

/** The wire form of a plain ASCII name such as `www.example.test`, or of the root when empty. */
export function wireName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, 'latin1')]),
    Buffer.alloc(1),
  ]);
}

/** One record in wire form. */
export function buildRecord({
  owner = pointer(12),
  rtype,
  rclass = 1,
  ttl = 300,
  rdata,
  rdlength,
}: BuiltRecord): Buffer {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(rtype, 0);
  fixed.writeUInt16BE(rclass, 2);
  fixed.writeUInt32BE(ttl, 4);
  fixed.writeUInt16BE(rdlength ?? rdata.length, 8);
  return Buffer.concat([owner, fixed, rdata]);
}

/** An OPT record (RFC 6891) with the upper eight bits of the rcode and raw options. */
export function buildOpt(upperRcode = 0, options: Buffer = Buffer.alloc(0)): BuiltRecord {
  return { owner: Buffer.alloc(1), rtype: 41, rclass: 1232, ttl: upperRcode * 2 ** 24, rdata: options };
}

/** A reply with one question, `www.example.test` of type A unless given. */
export function buildReply(reply: BuiltReply): Buffer {
  const { answer = [], authority = [], additional = [] } = reply;
  const header = Buffer.alloc(12);
  header.writeUInt16BE(reply.id ?? 0x1234, 0);
  header.writeUInt16BE(reply.bits ?? 0x8180, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(answer.length, 6);
  header.writeUInt16BE(authority.length, 8);
  header.writeUInt16BE(additional.length, 10);
  const type = Buffer.alloc(4);
  type.writeUInt16BE(reply.qtype ?? 1, 0);
  type.writeUInt16BE(1, 2);
  const records = [...answer, ...authority, ...additional].map(buildRecord);
  const qname = reply.qname ?? wireName('www.example.test');
  return Buffer.concat([header, qname, type, ...records, reply.trailer ?? Buffer.alloc(0)]);
}
