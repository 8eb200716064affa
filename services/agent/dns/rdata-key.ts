// Text of records that hold keys, signatures and certificates: DNSKEY, RRSIG, CERT, IPSECKEY, HIP, TKEY and their kin.
import { formatRtype } from '../../../contracts/dns-rtype.ts';
import { MalformedPacket } from './malformed-packet.ts';
import { formatBase64, formatIpv4, formatIpv6 } from './octet-text.ts';
import type { PacketReader } from './packet-reader.ts';

/** Flags, protocol, algorithm and key (RFC 4034 section 2): DNSKEY, CDNSKEY, KEY. */
export function formatDnskey(rdata: PacketReader): string {
  return `${rdata.uint16()} ${rdata.uint8()} ${rdata.uint8()} ${formatBase64(rdata.rest())}`;
}

/** Covered type to signature, times as `YYYYMMDDHHmmSS` in UTC (RFC 4034 section 3): RRSIG, SIG. */
export function formatRrsig(rdata: PacketReader): string {
  const covered = formatRtype(rdata.uint16());
  const numbers = `${rdata.uint8()} ${rdata.uint8()} ${rdata.uint32()}`;
  const times = `${formatTime(rdata.uint32())} ${formatTime(rdata.uint32())}`;
  return `${covered} ${numbers} ${times} ${rdata.uint16()} ${rdata.name()} ${formatBase64(rdata.rest())}`;
}

function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19).replace(/[-T:]/g, '');
}

const certificateTypes = new Map([
  [1, 'PKIX'],
  [2, 'SPKI'],
  [3, 'PGP'],
  [4, 'IPKIX'],
  [5, 'ISPKI'],
  [6, 'IPGP'],
  [7, 'ACPKIX'],
  [8, 'IACPKIX'],
  [253, 'URI'],
  [254, 'OID'],
]);

const algorithmNames = new Map([
  [1, 'RSAMD5'],
  [2, 'DH'],
  [3, 'DSA'],
  [4, 'ECC'],
  [5, 'RSASHA1'],
  [6, 'DSANSEC3SHA1'],
  [7, 'RSASHA1NSEC3SHA1'],
  [8, 'RSASHA256'],
  [10, 'RSASHA512'],
  [12, 'ECCGOST'],
  [13, 'ECDSAP256SHA256'],
  [14, 'ECDSAP384SHA384'],
  [15, 'ED25519'],
  [16, 'ED448'],
  [18, 'MLDSA44'],
  [252, 'INDIRECT'],
  [253, 'PRIVATEDNS'],
  [254, 'PRIVATEOID'],
]);

/** Type and algorithm by name where they have one, key tag and certificate (RFC 4398). */
export function formatCert(rdata: PacketReader): string {
  const type = rdata.uint16();
  const keyTag = rdata.uint16();
  const algorithm = rdata.uint8();
  const certificate = formatBase64(rdata.rest());
  return `${certificateTypes.get(type) ?? type} ${keyTag} ${algorithmNames.get(algorithm) ?? algorithm} ${certificate}`;
}

/** All of it in base64, unbroken: OPENPGPKEY (RFC 7929), HHIT and BRID (RFC 9886). */
export function formatUnbrokenBase64(rdata: PacketReader): string {
  return rdata.rest().toString('base64');
}

/** All of it in base64, in chunks (RFC 4701). */
export function formatDhcid(rdata: PacketReader): string {
  return formatBase64(rdata.rest());
}

/** Precedence, gateway type, algorithm, gateway and key (RFC 4025). */
export function formatIpseckey(rdata: PacketReader): string {
  const precedence = rdata.uint8();
  const gatewayType = rdata.uint8();
  const algorithm = rdata.uint8();
  const gateway = readGateway(rdata, gatewayType);
  return `${precedence} ${gatewayType} ${algorithm} ${gateway} ${formatBase64(rdata.rest())}`;
}

/** Precedence, discovery bit, relay type and relay (RFC 8777). */
export function formatAmtrelay(rdata: PacketReader): string {
  const precedence = rdata.uint8();
  const typeAndBit = rdata.uint8();
  const relayType = typeAndBit & 0x7f;
  return `${precedence} ${typeAndBit >> 7} ${relayType} ${readGateway(rdata, relayType)}`;
}

function readGateway(rdata: PacketReader, type: number): string {
  if (type === 0) return '.';
  if (type === 1) return formatIpv4(rdata.packet, rdata.take(4));
  if (type === 2) return formatIpv6(rdata.packet, rdata.take(16));
  if (type === 3) return rdata.name();
  throw new MalformedPacket('a gateway has an unknown type');
}

/** Algorithm, host identity tag in hex, key in unbroken base64 and rendezvous servers (RFC 8005). */
export function formatHip(rdata: PacketReader): string {
  const tagOctets = rdata.uint8();
  const algorithm = rdata.uint8();
  const keyOctets = rdata.uint16();
  const tag = rdata.octets(tagOctets).toString('hex');
  let text = `${algorithm} ${tag} ${rdata.octets(keyOctets).toString('base64')}`;
  while (rdata.left() > 0) text += ` ${rdata.name()}`;
  return text;
}

/** Algorithm, inception, expiration, mode, error, key and, unless empty, other data (RFC 2930). */
export function formatTkey(rdata: PacketReader): string {
  const algorithm = rdata.name();
  const numbers = `${rdata.uint32()} ${rdata.uint32()} ${rdata.uint16()} ${rdata.uint16()}`;
  const key = rdata.octets(rdata.uint16()).toString('base64');
  const other = rdata.octets(rdata.uint16()).toString('base64');
  return `${algorithm} ${numbers} ${key === '' ? '""' : key}${other === '' ? '' : ` ${other}`}`;
}
