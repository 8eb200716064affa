// The DNS record types by name (IANA DNS parameters), and their numbers.

/** IANA mnemonics of data and query types, each with its number. OPT, TSIG and the like are not here: they cannot be asked for. */
const typeNumbers = {
  A: 1,
  NS: 2,
  MD: 3,
  MF: 4,
  CNAME: 5,
  SOA: 6,
  MB: 7,
  MG: 8,
  MR: 9,
  NULL: 10,
  WKS: 11,
  PTR: 12,
  HINFO: 13,
  MINFO: 14,
  MX: 15,
  TXT: 16,
  RP: 17,
  AFSDB: 18,
  X25: 19,
  ISDN: 20,
  RT: 21,
  NSAP: 22,
  'NSAP-PTR': 23,
  SIG: 24,
  KEY: 25,
  PX: 26,
  GPOS: 27,
  AAAA: 28,
  LOC: 29,
  NXT: 30,
  EID: 31,
  NIMLOC: 32,
  SRV: 33,
  ATMA: 34,
  NAPTR: 35,
  KX: 36,
  CERT: 37,
  A6: 38,
  DNAME: 39,
  SINK: 40,
  APL: 42,
  DS: 43,
  SSHFP: 44,
  IPSECKEY: 45,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  DHCID: 49,
  NSEC3: 50,
  NSEC3PARAM: 51,
  TLSA: 52,
  SMIMEA: 53,
  HIP: 55,
  NINFO: 56,
  RKEY: 57,
  TALINK: 58,
  CDS: 59,
  CDNSKEY: 60,
  OPENPGPKEY: 61,
  CSYNC: 62,
  ZONEMD: 63,
  SVCB: 64,
  HTTPS: 65,
  DSYNC: 66,
  HHIT: 67,
  BRID: 68,
  SPF: 99,
  UINFO: 100,
  UID: 101,
  GID: 102,
  UNSPEC: 103,
  NID: 104,
  L32: 105,
  L64: 106,
  LP: 107,
  EUI48: 108,
  EUI64: 109,
  NXNAME: 128,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  URI: 256,
  CAA: 257,
  AVC: 258,
  DOA: 259,
  AMTRELAY: 260,
  RESINFO: 261,
  WALLET: 262,
  CLA: 263,
  IPN: 264,
  TA: 32768,
  DLV: 32769,
} as const;

/** The names that can be asked for, in the order of their numbers. */
export const rtypeNames: readonly string[] = Object.keys(typeNumbers);

const numberByName = new Map<string, number>(Object.entries(typeNumbers));

/** Asked for by name, printed as `TYPEn`: dnspython, whose text the replies carry, has no name for these. */
const unprintedNames = new Set('EID NIMLOC ATMA SINK RKEY TALINK UINFO UID GID DOA CLA IPN'.split(' '));

/** Types that occur within records (bitmaps, covered types) but cannot be asked for. */
const metaNames = [
  [41, 'OPT'],
  [249, 'TKEY'],
  [250, 'TSIG'],
  [251, 'IXFR'],
  [252, 'AXFR'],
] as const;

const nameByNumber = new Map<number, string>(metaNames);
for (const [name, number] of numberByName) if (!unprintedNames.has(name)) nameByNumber.set(number, name);

/**
 * The number of a record type given by name in any case (`A`, `https`) or in the RFC 3597 form `TYPEn`
 * (n 1–65535), or undefined when there is no such type or it cannot stand in a question: OPT (41) and the meta
 * types 249–252 (TKEY, TSIG, IXFR, AXFR).
 */
export function parseRtype(text: string): number | undefined {
  const name = text.toUpperCase();
  const known = numberByName.get(name);
  if (known !== undefined) return known;
  const generic = /^TYPE(\d{1,5})$/.exec(name);
  if (generic === null) return undefined;
  const number = Number(generic[1]);
  if (number < 1 || number > 65535 || number === 41 || (number >= 249 && number <= 252)) return undefined;
  return number;
}

/** The mnemonic of a record type as dnspython prints it, else `TYPEn` (RFC 3597). */
export function formatRtype(number: number): string {
  return nameByNumber.get(number) ?? `TYPE${number}`;
}
