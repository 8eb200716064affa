// The text of a record's data, as dnspython prints it: which form belongs to which type and class.
import { MalformedPacket } from './malformed-packet.ts';
import { formatHex } from './octet-text.ts';
import type { PacketReader, RdataFormat } from './packet-reader.ts';
import {
  formatA,
  formatAaaa,
  formatApl,
  formatChaosA,
  formatEui,
  formatL32,
  formatLocator64,
  formatNsap,
  formatWks,
} from './rdata-address.ts';
import { formatCsync, formatNsec, formatNsec3, formatNsec3Param } from './rdata-bitmap.ts';
import { formatDs, formatSshfp, formatTlsa, formatZonemd } from './rdata-digest.ts';
import {
  formatDsync,
  formatHost,
  formatPreferredHost,
  formatPx,
  formatSoa,
  formatSrv,
  formatTwoHosts,
} from './rdata-host.ts';
import {
  formatAmtrelay,
  formatCert,
  formatDhcid,
  formatDnskey,
  formatHip,
  formatIpseckey,
  formatRrsig,
  formatTkey,
  formatUnbrokenBase64,
} from './rdata-key.ts';
import { formatLoc } from './rdata-location.ts';
import { formatSvcb } from './rdata-service.ts';
import {
  formatCaa,
  formatGpos,
  formatHinfo,
  formatIsdn,
  formatNaptr,
  formatTxt,
  formatUri,
  formatX25,
} from './rdata-strings.ts';

const internetClass = 1;
const chaosClass = 3;
const addressType = 1;

/** Types with the same form in every class. */
const anyClassFormats = new Map<number, RdataFormat>([
  [2, formatHost], // NS
  [5, formatHost], // CNAME
  [6, formatSoa],
  [12, formatHost], // PTR
  [13, formatHinfo],
  [15, formatPreferredHost], // MX
  [16, formatTxt],
  [17, formatTwoHosts], // RP
  [18, formatPreferredHost], // AFSDB
  [19, formatX25],
  [20, formatIsdn],
  [21, formatPreferredHost], // RT
  [24, formatRrsig], // SIG,
  [25, formatDnskey], // KEY
  [27, formatGpos],
  [29, formatLoc],
  [37, formatCert],
  [39, formatHost], // DNAME
  [43, formatDs],
  [44, formatSshfp],
  [46, formatRrsig],
  [47, formatNsec],
  [48, formatDnskey],
  [50, formatNsec3],
  [51, formatNsec3Param],
  [52, formatTlsa],
  [53, formatTlsa], // SMIMEA
  [55, formatHip],
  [56, formatTxt], // NINFO
  [59, formatDs], // CDS
  [60, formatDnskey], // CDNSKEY
  [61, formatUnbrokenBase64], // OPENPGPKEY
  [62, formatCsync],
  [63, formatZonemd],
  [66, formatDsync],
  [67, formatUnbrokenBase64], // HHIT
  [68, formatUnbrokenBase64], // BRID
  [99, formatTxt], // SPF
  [104, formatLocator64], // NID
  [105, formatL32],
  [106, formatLocator64], // L64
  [107, formatPreferredHost], // LP
  [108, formatEui(6)],
  [109, formatEui(8)],
  [249, formatTkey],
  [256, formatUri],
  [257, formatCaa],
  [258, formatTxt], // AVC
  [260, formatAmtrelay],
  [261, formatTxt], // RESINFO
  [262, formatTxt], // WALLET
  [32769, formatDs], // DLV
]);

/** Of class IN; those given here have a form in it only. */
const internetFormats = new Map<number, RdataFormat>([
  ...anyClassFormats,
  [1, formatA],
  [11, formatWks],
  [22, formatNsap],
  [23, formatHost], // NSAP-PTR
  [26, formatPx],
  [28, formatAaaa],
  [33, formatSrv],
  [35, formatNaptr],
  [36, formatPreferredHost], // KX
  [42, formatApl],
  [45, formatIpseckey],
  [49, formatDhcid],
  [64, formatSvcb],
  [65, formatSvcb], // HTTPS
]);

/**
 * The text of the RDATA that `rdata` is bounded to. A type without a form of its own is written in the generic form
 * `\# length hex` (RFC 3597). Throws MalformedPacket when the octets do not make up the fields of the
 * type, or are too many for them. Values that can be read are printed even where they are wrong (a digest of another
 * length than its type has, a parameter that names a missing one): a probe shows what a server says.
 */
export function formatRdata(rdata: PacketReader, rdclass: number, rdtype: number): string {
  const text = findFormat(rdclass, rdtype)(rdata);
  if (rdata.left() > 0) throw new MalformedPacket('a record has octets left over');
  return text;
}

function findFormat(rdclass: number, rdtype: number): RdataFormat {
  if (rdclass === internetClass) return internetFormats.get(rdtype) ?? formatGeneric;
  if (rdclass === chaosClass && rdtype === addressType) return formatChaosA;
  return anyClassFormats.get(rdtype) ?? formatGeneric;
}

/** A blank stands behind the length even when no octet follows. */
function formatGeneric(rdata: PacketReader): string {
  const octets = rdata.rest();
  return `\\# ${octets.length} ${formatHex(octets)}`;
}
