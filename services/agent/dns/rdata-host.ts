// Text of records made of names and numbers: NS, MX, SOA, SRV and their kin.
import { formatRtype } from '../../../contracts/dns-rtype.ts';
import type { PacketReader } from './packet-reader.ts';

/** One name: NS, CNAME, PTR, DNAME, NSAP-PTR. */
export function formatHost(rdata: PacketReader): string {
  return rdata.name();
}

/** Preference and name: MX, AFSDB, RT, KX, LP. */
export function formatPreferredHost(rdata: PacketReader): string {
  return `${rdata.uint16()} ${rdata.name()}`;
}

/** Two names: RP. */
export function formatTwoHosts(rdata: PacketReader): string {
  return `${rdata.name()} ${rdata.name()}`;
}

/** Preference and two names (RFC 2163). */
export function formatPx(rdata: PacketReader): string {
  return `${rdata.uint16()} ${rdata.name()} ${rdata.name()}`;
}

/** Server, mailbox, serial, refresh, retry, expire and minimum; times in seconds. */
export function formatSoa(rdata: PacketReader): string {
  const names = `${rdata.name()} ${rdata.name()}`;
  return `${names} ${rdata.uint32()} ${rdata.uint32()} ${rdata.uint32()} ${rdata.uint32()} ${rdata.uint32()}`;
}

/** Priority, weight, port and target (RFC 2782). */
export function formatSrv(rdata: PacketReader): string {
  return `${rdata.uint16()} ${rdata.uint16()} ${rdata.uint16()} ${rdata.name()}`;
}

/** Type, scheme, port and target (RFC 9859). */
export function formatDsync(rdata: PacketReader): string {
  const rtype = formatRtype(rdata.uint16());
  const scheme = rdata.uint8();
  return `${rtype} ${scheme === 1 ? 'NOTIFY' : scheme} ${rdata.uint16()} ${rdata.name()}`;
}
