// Text of records that end in a bitmap of types: NSEC, NSEC3, CSYNC; and of NSEC3PARAM, which shares the salt.
import { formatRtype } from '../../../contracts/dns-rtype.ts';
import { MalformedPacket } from './malformed-packet.ts';
import { formatBase32hex } from './octet-text.ts';
import type { PacketReader } from './packet-reader.ts';

/** Next name and types (RFC 4034 section 4). */
export function formatNsec(rdata: PacketReader): string {
  return rdata.name() + readTypes(rdata);
}

/** Algorithm, flags, iterations, salt, next hashed owner and types (RFC 5155 section 3). */
export function formatNsec3(rdata: PacketReader): string {
  const parameters = readHashParameters(rdata);
  return `${parameters} ${formatBase32hex(rdata.countedOctets())}${readTypes(rdata)}`;
}

/** Algorithm, flags, iterations and salt (RFC 5155 section 4). */
export function formatNsec3Param(rdata: PacketReader): string {
  return readHashParameters(rdata);
}

/** Serial, flags and types (RFC 7477). */
export function formatCsync(rdata: PacketReader): string {
  return `${rdata.uint32()} ${rdata.uint16()}${readTypes(rdata)}`;
}

function readHashParameters(rdata: PacketReader): string {
  const numbers = `${rdata.uint8()} ${rdata.uint8()} ${rdata.uint16()}`;
  const salt = rdata.countedOctets();
  return `${numbers} ${salt.length === 0 ? '-' : salt.toString('hex')}`;
}

/** The names of the types, each after a blank. Windows must rise, with 1 to 32 octets each. */
function readTypes(rdata: PacketReader): string {
  let text = '';
  let lastWindow = -1;
  while (rdata.left() > 0) {
    const window = rdata.uint8();
    const bitmap = rdata.countedOctets();
    if (window <= lastWindow) throw new MalformedPacket('the windows of a type bitmap do not rise');
    if (bitmap.length === 0 || bitmap.length > 32)
      throw new MalformedPacket('a window of a type bitmap has a wrong length');
    lastWindow = window;
    for (const position of rdata.bitPositions(bitmap)) text += ` ${formatRtype(window * 256 + position)}`;
  }
  return text;
}
