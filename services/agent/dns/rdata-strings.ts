// Text of records made of character strings: TXT and its kin, HINFO, X25, ISDN, CAA, URI, NAPTR, GPOS.
import { MalformedPacket } from './malformed-packet.ts';
import { escapeQuoted, formatQuoted } from './octet-text.ts';
import type { PacketReader } from './packet-reader.ts';

/** One or more strings, each quoted: TXT, SPF, AVC, NINFO, RESINFO, WALLET. */
export function formatTxt(rdata: PacketReader): string {
  let text = formatQuoted(rdata.countedOctets());
  while (rdata.left() > 0) text += ` ${formatQuoted(rdata.countedOctets())}`;
  return text;
}

/** Processor and operating system. */
export function formatHinfo(rdata: PacketReader): string {
  return `${formatQuoted(rdata.countedOctets())} ${formatQuoted(rdata.countedOctets())}`;
}

/** One string (RFC 1183). */
export function formatX25(rdata: PacketReader): string {
  return formatQuoted(rdata.countedOctets());
}

/** Address and, unless empty, subaddress (RFC 1183). */
export function formatIsdn(rdata: PacketReader): string {
  const address = formatQuoted(rdata.countedOctets());
  if (rdata.left() === 0) return address;
  const subaddress = rdata.countedOctets();
  return subaddress.length === 0 ? address : `${address} ${formatQuoted(subaddress)}`;
}

/** Flags, tag and quoted value (RFC 8659). */
export function formatCaa(rdata: PacketReader): string {
  const flags = rdata.uint8();
  const tag = escapeQuoted(rdata.countedOctets());
  return `${flags} ${tag} ${formatQuoted(rdata.rest())}`;
}

/** Priority, weight and quoted target (RFC 7553). */
export function formatUri(rdata: PacketReader): string {
  return `${rdata.uint16()} ${rdata.uint16()} ${formatQuoted(rdata.rest())}`;
}

/** Order, preference, flags, service, regexp and replacement (RFC 3403). */
export function formatNaptr(rdata: PacketReader): string {
  const numbers = `${rdata.uint16()} ${rdata.uint16()}`;
  const flags = formatQuoted(rdata.countedOctets());
  const service = formatQuoted(rdata.countedOctets());
  const regexp = formatQuoted(rdata.countedOctets());
  return `${numbers} ${flags} ${service} ${regexp} ${rdata.name()}`;
}

const decimalNumber = /^[+-]?(?:\d+\.?\d*|\.\d+)$/;

/** Latitude, longitude and altitude as decimal numbers, not quoted (RFC 1712). */
export function formatGpos(rdata: PacketReader): string {
  const latitude = readDecimal(rdata, 90);
  const longitude = readDecimal(rdata, 180);
  return `${latitude} ${longitude} ${readDecimal(rdata, Number.POSITIVE_INFINITY)}`;
}

function readDecimal(rdata: PacketReader, limit: number): string {
  const text = rdata.countedOctets().toString('latin1');
  if (!decimalNumber.test(text) || Math.abs(Number(text)) > limit)
    throw new MalformedPacket('a GPOS field is not a number in its range');
  return text;
}
