// Server addresses as callers write them, taken apart.
import { expect, test } from 'vitest';
import { parseDnsServer } from '../../contracts/dns-server.ts';

test.each([
  ['192.0.2.1', 'udp', '192.0.2.1', 4, 53],
  ['192.0.2.1:5353', 'udp', '192.0.2.1', 4, 5353],
  ['2001:db8::1', 'udp', '2001:db8::1', 6, 53],
  ['[2001:db8::1]:853', 'udp', '2001:db8::1', 6, 853],
  ['2001:db8::53:5353', 'udp', '2001:db8::53:5353', 6, 53],
  ['tcp://192.0.2.1', 'tcp', '192.0.2.1', 4, 53],
  ['TCP://[2001:db8::1]:5353/', 'tcp', '2001:db8::1', 6, 5353],
  ['0:0:0:0:0:0:0:1', 'udp', '::1', 6, 53],
  ['[2001:DB8::0001]:5353', 'udp', '2001:db8::1', 6, 5353],
  ['::ffff:192.0.2.1', 'udp', '192.0.2.1', 4, 53],
  ['tcp://[::FFFF:C000:0201]', 'tcp', '192.0.2.1', 4, 53],
])('%s is %s %s family %i port %i', (text, transport, address, family, port) => {
  expect(parseDnsServer(text)).toEqual({ ok: true, server: { transport, address, family, port } });
});

test.each([
  ['quic://192.0.2.1', 'scheme quic:// is not supported'],
  ['192.0.2.1:0', 'has a port outside 1–65535'],
  ['dns.example', 'is not an IP address with an optional port and scheme'],
  ['1'.repeat(81), 'is too long for a server address'],
])('%.20s is refused', (text, reason) => {
  expect(parseDnsServer(text)).toEqual({ ok: false, reason });
});
