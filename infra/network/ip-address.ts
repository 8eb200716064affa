// IP addresses in one spelling each, and the IPv4 addresses that stand inside of IPv6 addresses.
import { BlockList, isIP, SocketAddress } from 'node:net';

export type IpAddress = { family: 'ipv4' | 'ipv6'; text: string };

/**
 * Where the last octets of an IPv6 address are those of an IPv4 address: IPv4-compatible (RFC 4291), IPv4-translated
 * (RFC 2765), NAT64 (RFC 6052) and NAT64 of local use (RFC 8215) as far as its prefix has 96 bits.
 */
const embeddingPrefixes: [string, number][] = [
  ['::', 96],
  ['::ffff:0:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
];
const embedding = listOf(embeddingPrefixes);
/** RFC 3056: there the octets after the prefix are those of the IPv4 address. */
const sixToFour = listOf([['2002::', 16]]);

/** An address without its zone; an IPv4-mapped one (RFC 4291) is the IPv4 address that it reaches. */
export function parseAddress(text: string): IpAddress | undefined {
  const bare = text.replace(/%.*$/, '');
  const family = isIP(bare);
  if (family === 0) return undefined;
  if (family === 4) return { family: 'ipv4', text: bare };
  const canonical = new SocketAddress({ address: bare, family: 'ipv6' }).address;
  const mapped = canonical.replace(/^::ffff:(?=\d+\.)/, '');
  return isIP(mapped) === 4 ? { family: 'ipv4', text: mapped } : { family: 'ipv6', text: canonical };
}

/** The IPv4 address that a translator or a tunnel would reach through this address. */
export function embeddedAddress({ family, text }: IpAddress): IpAddress | undefined {
  // Loopback lies in the block of the IPv4-compatible addresses.
  if (family === 'ipv4' || text === '::1') return undefined;
  const groups = expand(text);
  if (sixToFour.check(text, 'ipv6')) return fromGroups(groups[1], groups[2]);
  return embedding.check(text, 'ipv6') ? fromGroups(groups[6], groups[7]) : undefined;
}

/** A list of subnets, all of IPv6. */
function listOf(subnets: [string, number][]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, 'ipv6');
  return list;
}

/** The eight groups of an IPv6 address. */
function expand(text: string): number[] {
  // A tail such as `::1.2.3.4` as two groups.
  const plain = text.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_tail, a, b, c, d) =>
    [Number(a) * 256 + Number(b), Number(c) * 256 + Number(d)].map((group) => group.toString(16)).join(':'),
  );
  const [head = '', tail] = plain.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - before.length - after.length).fill('0');
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16));
}

function fromGroups(high = 0, low = 0): IpAddress {
  return { family: 'ipv4', text: `${high >> 8}.${high & 255}.${low >> 8}.${low & 255}` };
}
