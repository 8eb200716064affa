// DNS servers as callers write them: `1.1.1.1`, `1.1.1.1:5353`, `[2001:db8::1]:53`, `udp://…`, `tcp://…`.
import { isIP, isIPv4, SocketAddress } from 'node:net';

/** Where a query goes. Over `udp` a truncated reply is asked again over TCP at the same address and port. */
export type DnsServer = {
  transport: 'udp' | 'tcp';
  /** IP literal, of an IPv6 address in one spelling, without brackets. */
  address: string;
  family: 4 | 6;
  port: number;
};

export type ParsedDnsServer = { ok: true; server: DnsServer } | { ok: false; reason: string };

const form =
  /^(?:([a-z]+):\/\/)?(?:\[([0-9a-f:.]+)\]|([0-9.]+)|([0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*))(?::(\d{1,5}))?\/?$/i;

/** Parses one entry of `dns_servers` or of `local_dns.ips`. IP addresses only; the port is 53 unless given. */
export function parseDnsServer(text: string): ParsedDnsServer {
  if (text.length > 80) return { ok: false, reason: 'is too long for a server address' };
  const bare = isIP(text) === 6 ? `[${text}]` : text;
  const match = form.exec(bare);
  if (match === null) return { ok: false, reason: 'is not an IP address with an optional port and scheme' };
  const [, scheme = 'udp', bracketed, plain, unbracketed, portText = '53'] = match;
  const transport = scheme.toLowerCase();
  if (transport !== 'udp' && transport !== 'tcp')
    return { ok: false, reason: `scheme ${scheme}:// is not supported` };
  const address = bracketed ?? plain ?? unbracketed ?? '';
  const family = isIP(address);
  if (family === 0 || (bracketed !== undefined && isIPv4(address))) {
    return { ok: false, reason: 'is not an IP address with an optional port and scheme' };
  }
  const port = Number(portText);
  if (port < 1 || port > 65535) return { ok: false, reason: 'has a port outside 1–65535' };
  const canonical = family === 6 ? canonicalAddress(address) : address;
  return { ok: true, server: { transport, address: canonical, family: isIPv4(canonical) ? 4 : 6, port } };
}

/** One spelling per server, or limits per server could be evaded; an IPv4-mapped address is asked over IPv4 anyway. */
function canonicalAddress(address: string): string {
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address;
  const mapped = canonical.replace(/^::ffff:/, '');
  return isIPv4(mapped) ? mapped : canonical;
}
