// Text of records that hold a digest or fingerprint: DS and its kin, TLSA, SMIMEA, SSHFP, ZONEMD.
import { formatHex } from './octet-text.ts';
import type { PacketReader } from './packet-reader.ts';

/** Key tag, algorithm, digest type and digest (RFC 4034 section 5): DS, CDS, DLV. */
export function formatDs(rdata: PacketReader): string {
  return `${rdata.uint16()} ${rdata.uint8()} ${rdata.uint8()} ${formatHex(rdata.rest())}`;
}

/** Usage, selector, matching type and data (RFC 6698): TLSA and SMIMEA. */
export function formatTlsa(rdata: PacketReader): string {
  return `${rdata.uint8()} ${rdata.uint8()} ${rdata.uint8()} ${formatHex(rdata.rest())}`;
}

/** Algorithm, fingerprint type and fingerprint (RFC 4255). */
export function formatSshfp(rdata: PacketReader): string {
  return `${rdata.uint8()} ${rdata.uint8()} ${formatHex(rdata.rest())}`;
}

/** Serial, scheme, hash algorithm and digest (RFC 8976). */
export function formatZonemd(rdata: PacketReader): string {
  return `${rdata.uint32()} ${rdata.uint8()} ${rdata.uint8()} ${formatHex(rdata.rest())}`;
}
