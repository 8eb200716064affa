// Text of records that hold addresses: A, AAAA, APL, WKS, L32, L64, NID, EUI48, EUI64, NSAP and the A of class CH.
import { MalformedPacket } from './malformed-packet.ts';
import { formatIpv4, formatIpv6, parted } from './octet-text.ts';
import type { PacketReader } from './packet-reader.ts';

/** Exactly four octets, dotted. */
export function formatA(rdata: PacketReader): string {
  return formatIpv4(rdata.packet, rdata.take(4));
}

/** Exactly sixteen octets. */
export function formatAaaa(rdata: PacketReader): string {
  return formatIpv6(rdata.packet, rdata.take(16));
}

/** Domain and octal address of Chaosnet. */
export function formatChaosA(rdata: PacketReader): string {
  return `${rdata.name()} ${rdata.uint16().toString(8)}`;
}

/** Preference and a 32-bit locator written as an IPv4 address (RFC 6742). */
export function formatL32(rdata: PacketReader): string {
  return `${rdata.uint16()} ${formatA(rdata)}`;
}

/** Preference and four groups of four hex digits (RFC 6742): L64 and NID. */
export function formatLocator64(rdata: PacketReader): string {
  return `${rdata.uint16()} ${parted(rdata.octets(8).toString('hex'), 4, ':')}`;
}

/** EUI-48 and EUI-64 addresses as hex octets with hyphens (RFC 7043). */
export function formatEui(octets: 6 | 8): (rdata: PacketReader) => string {
  return (rdata) => parted(rdata.octets(octets).toString('hex'), 2, '-');
}

/** `0x` and hex digits (RFC 1706). */
export function formatNsap(rdata: PacketReader): string {
  return `0x${rdata.rest().toString('hex')}`;
}

/** Address, protocol and the ports whose bit is set; a blank stands behind the protocol even when none is. */
export function formatWks(rdata: PacketReader): string {
  const address = formatA(rdata);
  const protocol = rdata.uint8();
  return `${address} ${protocol} ${rdata.bitPositions(rdata.rest()).join(' ')}`;
}

/** `[!]family:address/prefix` for each item (RFC 3123); families other than IP in hex. */
export function formatApl(rdata: PacketReader): string {
  const items: string[] = [];
  while (rdata.left() > 0) {
    const family = rdata.uint16();
    const prefix = rdata.uint8();
    const lengthAndSign = rdata.uint8();
    const octets = rdata.octets(lengthAndSign & 0x7f);
    const sign = (lengthAndSign & 0x80) !== 0 ? '!' : '';
    items.push(`${sign}${family}:${formatAplAddress(family, octets, prefix)}/${prefix}`);
  }
  return items.join(' ');
}

function formatAplAddress(family: number, octets: Buffer, prefix: number): string {
  if (family !== 1 && family !== 2) return octets.toString('hex');
  const width = family === 1 ? 4 : 16;
  if (octets.length > width || prefix > width * 8)
    throw new MalformedPacket('an APL item exceeds its address family');
  const address = Buffer.alloc(width);
  octets.copy(address);
  return family === 1 ? formatIpv4(address, 0) : formatIpv6(address, 0);
}
