// Text of service bindings: SVCB and HTTPS (RFC 9460).
import { MalformedPacket } from './malformed-packet.ts';
import { formatIpv4, formatIpv6, formatQuoted } from './octet-text.ts';
import type { PacketReader } from './packet-reader.ts';

const mandatory = 0;
const alpn = 1;
const noDefaultAlpn = 2;

const keyNames = new Map([
  [mandatory, 'mandatory'],
  [alpn, 'alpn'],
  [noDefaultAlpn, 'no-default-alpn'],
  [3, 'port'],
  [4, 'ipv4hint'],
  [5, 'ech'],
  [6, 'ipv6hint'],
  [7, 'dohpath'],
  [8, 'ohttp'],
  [10, 'docpath'],
]);

// Keys whose value must be there, and keys that have none.
const neverEmpty = new Set([mandatory, alpn, 3, 4, 5, 6]);
const alwaysEmpty = new Set([noDefaultAlpn, 8]);

/**
 * Priority, target and parameters in the order of their keys, which is that of the wire; values quoted, keys without
 * a name as `keyN`. Refuses keys out of order and values that cannot be those of their key.
 */
export function formatSvcb(rdata: PacketReader): string {
  const priority = rdata.uint16();
  let text = `${priority} ${rdata.name()}`;
  let lastKey = -1;
  while (rdata.left() > 0) {
    const key = rdata.uint16();
    if (key <= lastKey) throw new MalformedPacket('service parameters are not in order');
    lastKey = key;
    const value = rdata.octets(rdata.uint16());
    text += ` ${formatParameter(key, value)}`;
  }
  return text;
}

function formatKey(key: number): string {
  return keyNames.get(key) ?? `key${key}`;
}

function formatParameter(key: number, value: Buffer): string {
  if (value.length === 0 ? neverEmpty.has(key) : alwaysEmpty.has(key)) throw misfit(key);
  const name = formatKey(key);
  return value.length === 0 ? name : `${name}=${formatValue(key, value)}`;
}

function formatValue(key: number, value: Buffer): string {
  switch (key) {
    case mandatory:
      return `"${readMandatoryKeys(value).map(formatKey).join(',')}"`;
    case alpn:
    case 10:
      return formatQuoted(joinStrings(key, value));
    case 3:
      if (value.length !== 2) throw misfit(key);
      return `"${value.readUInt16BE(0)}"`;
    case 4:
      return formatAddresses(key, value, 4, formatIpv4);
    case 5:
      return `"${value.toString('base64')}"`;
    case 6:
      return formatAddresses(key, value, 16, formatIpv6);
    default:
      return formatQuoted(value);
  }
}

function readMandatoryKeys(value: Buffer): number[] {
  if (value.length % 2 !== 0) throw misfit(mandatory);
  const keys: number[] = [];
  for (let offset = 0; offset < value.length; offset += 2) {
    keys.push(value.readUInt16BE(offset));
  }
  return keys;
}

const comma = 0x2c;
const backslash = 0x5c;

/** The strings of a list parted by commas, with a backslash before commas and backslashes within them. */
function joinStrings(key: number, value: Buffer): Buffer {
  const joined: number[] = [];
  let offset = 0;
  while (offset < value.length) {
    const end = offset + 1 + value.readUInt8(offset);
    if (end > value.length || end === offset + 1) throw misfit(key);
    if (offset > 0) joined.push(comma);
    for (const octet of value.subarray(offset + 1, end)) {
      if (octet === comma || octet === backslash) joined.push(backslash);
      joined.push(octet);
    }
    offset = end;
  }
  return Buffer.from(joined);
}

function formatAddresses(
  key: number,
  value: Buffer,
  width: number,
  format: (packet: Buffer, offset: number) => string,
): string {
  if (value.length % width !== 0) throw misfit(key);
  const addresses: string[] = [];
  for (let offset = 0; offset < value.length; offset += width) addresses.push(format(value, offset));
  return `"${addresses.join(',')}"`;
}

function misfit(key: number): MalformedPacket {
  return new MalformedPacket(`the value of ${formatKey(key)} does not fit it`);
}
