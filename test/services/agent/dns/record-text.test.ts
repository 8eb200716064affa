// The text form of every record type, one wire form after the other. That dnspython agrees is proven in
// dnspython-parity.test.ts; here stands what the forms are.
import { describe, expect, test } from 'vitest';
import { formatRtype, parseRtype } from '../../../../contracts/dns-rtype.ts';
import { readReply } from '../../../../services/agent/dns/read-reply.ts';
import { buildReply, pointer, wireName } from '../../../helpers/reply-builder.ts';

function textOf(type: string, rdata: Buffer, rclass = 1): string {
  const rtype = parseRtype(type);
  if (rtype === undefined) throw new Error(`no type ${type}`);
  const result = readReply(buildReply({ answer: [{ rtype, rclass, rdata }] }));
  if (result.kind === 'malformed') throw new Error(result.reason);
  return result.reply.answer[0]?.result ?? '';
}

/** Hex digits (blanks ignored) and names in angle brackets, as one wire form. */
function octets(form: string): Buffer {
  const parts = form.split(/<([^>]*)>/);
  return Buffer.concat(
    parts.map((part, index) =>
      index % 2 === 1 ? wireName(part) : Buffer.from(part.replaceAll(' ', ''), 'hex'),
    ),
  );
}

const key64 = Buffer.alloc(64, 0xfb).toString('hex');
const base64 = '+/v7'.repeat(21);
const key64Text = `${base64.slice(0, 32)} ${base64.slice(32, 64)} ${base64.slice(64, 84)}+w==`;

const forms: [type: string, wire: string, text: string][] = [
  ['A', '79feb2fd', '121.254.178.253'],
  ['AAAA', '20010db8000000000001000000000001', '2001:db8::1:0:0:1'],
  ['AAAA', '00000000000000000000ffff01020304', '::ffff:1.2.3.4'],
  ['AAAA', '00000000000000000000000001020304', '::1.2.3.4'],
  ['AAAA', '000000000000000000000000ffff0001', '::255.255.0.1'],
  ['AAAA', '0000000000000000000000000000ff01', '::ff01'],
  ['AAAA', '0064ff9b000000000000000001020304', '64:ff9b::102:304'],
  ['AAAA', '00000000000000000000000000000000', '::'],
  ['AAAA', '20010db8000000010001000100010001', '2001:db8:0:1:1:1:1:1'],
  ['AAAA', 'fe800000000000000000000000000000', 'fe80::'],
  ['CNAME', '<host.example>', 'host.example.'],
  ['NS', '<>', '.'],
  ['PTR', '<MiXeD.Example>', 'MiXeD.Example.'],
  ['DNAME', '<host.example>', 'host.example.'],
  ['MX', '000a <mail.example>', '10 mail.example.'],
  [
    'SOA',
    '<ns1.example> 086a6f686e2e646f65 <example> 78a3f1f5 00001c20 00000e10 00127500 00000e10',
    'ns1.example. john\\.doe.example. 2024010229 7200 3600 1209600 3600',
  ],
  ['TXT', '03612062 026364', '"a b" "cd"'],
  ['TXT', '00', '""'],
  ['TXT', '05225c007fff', '"\\"\\\\\\000\\127\\255"'],
  ['SPF', '0161', '"a"'],
  ['SRV', '0000 0005 13c4 <sip.example>', '0 5 5060 sip.example.'],
  ['CAA', '00 05 6973737565 6c65743b20783d31', '0 issue "let; x=1"'],
  ['NAPTR', '0064 000a 0155 00 023d22 <>', '100 10 "U" "" "=\\"" .'],
  ['DS', 'ec45 05 01 2bb183af', '60485 5 1 2bb183af'],
  ['CDS', '0000 00 00 00', '0 0 0 00'],
  ['DNSKEY', `0101 03 0d ${key64}`, `257 3 13 ${key64Text}`],
  [
    'RRSIG',
    `0001 0d 02 00000e10 65badf00 65920080 3039 <example> ${key64}`,
    `A 13 2 3600 20240201000000 20240101000000 12345 example. ${key64Text}`,
  ],
  [
    'NSEC',
    '<b.example> 0006 620080000003 ff20 00000000000000000000000000000000000000000000000000000000 00000002',
    'b.example. A NS SOA TXT RRSIG NSEC TYPE65534',
  ],
  ['NSEC', '<b.example>', 'b.example.'],
  [
    'NSEC',
    '<b> 0020 00000001 80000000 00000100 00000000 00000000 00000000 00000000 00000001',
    'b. TYPE31 TYPE32 TYPE87 ANY',
  ],
  ['NSEC3', '01 01 000c 04aabbccdd 05 0001020304 0006 400000000002', '1 1 12 aabbccdd 000g40o4 A RRSIG'],
  ['NSEC3', '01 00 0000 00 01 ff', '1 0 0 - vs'],
  ['NSEC3PARAM', '01 00 000a 02aabb', '1 0 10 aabb'],
  ['NSEC3PARAM', '01 00 0000 00', '1 0 0 -'],
  ['TLSA', `03 01 01 ${'ab'.repeat(65)}`, `3 1 1 ${'ab'.repeat(64)} ab`],
  ['SMIMEA', '03 01 01 abcd', '3 1 1 abcd'],
  ['SSHFP', '04 02 abcd', '4 2 abcd'],
  [
    'HTTPS',
    '0001 <> 0001 0006 026833 026832 0002 0000 0003 0002 20fb 0004 0008 01020304 05060708 0005 0006 0045fe0d0041 0006 0010 26064700000000000000000000000001',
    '1 . alpn="h3,h2" no-default-alpn port="8443" ipv4hint="1.2.3.4,5.6.7.8" ech="AEX+DQBB" ipv6hint="2606:4700::1"',
  ],
  ['SVCB', '0000 <alias.example>', '0 alias.example.'],
  ['SVCB', '0001 <> ff35 0005 6100622063', '1 . key65333="a\\000b c"'],
  ['SVCB', '0001 <> 0000 0006 0001 0003 ff00', '1 . mandatory="alpn,port,key65280"'],
  ['SVCB', '0001 <> 0001 0006 05 2c5c22 61 00', '1 . alpn="\\\\,\\\\\\\\\\"a\\000"'],
  [
    'LOC',
    '00 00 16 13 8b3cf018 810cbce0 009895b8',
    '52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000.00m 10.00m',
  ],
  ['LOC', '00 12 16 13 80000000 7fffffff 00989680', '0 0 0.000 N 0 0 0.001 W 0.00m'],
  ['URI', '000a 0001 6674703a2f2f78', '10 1 "ftp://x"'],
  ['HINFO', '08504320496e74656c 054c696e7578', '"PC Intel" "Linux"'],
  ['CERT', `0001 0001 08 ${key64}`, `PKIX 1 RSASHA256 ${key64Text}`],
  ['CERT', '0009 0001 63 fbfb', '9 1 99 +/s='],
  ['OPENPGPKEY', key64, `${base64}+w==`],
  ['NULL', '0a00ff', '\\# 3 0a00ff'],
  ['TYPE65280', '', '\\# 0 '],
  ['TYPE65280', 'ab'.repeat(65), `\\# 65 ${'ab'.repeat(64)} ab`],
  ['RP', '<m.example> <t.example>', 'm.example. t.example.'],
  ['APL', '0001 15 03 c0a820 0001 1c 84 c0a82600', '1:192.168.32.0/21 !1:192.168.38.0/28'],
  ['EUI48', '00005e00532a', '00-00-5e-00-53-2a'],
  ['WKS', '0a000001 06 00000040 00', '10.0.0.1 6 25'],
  ['IPSECKEY', '0a 03 00 <gw.example>', '10 3 0 gw.example. '],
  ['HIP', '02 02 0003 abcd fbfbfb <rvs.example>', '2 abcd +/v7 rvs.example.'],
];

describe('the text of a record', () => {
  test.each(forms)('of type %s, form %#', (type, wire, text) => {
    expect(textOf(type, octets(wire))).toBe(text);
  });

  test('has its names decompressed', () => {
    expect(textOf('MX', Buffer.concat([octets('000a 046d61696c'), pointer(16)]))).toBe(
      '10 mail.example.test.',
    );
  });

  test('is generic for address types outside class IN', () => {
    expect(textOf('AAAA', octets('0102'), 4)).toBe('\\# 2 0102');
    expect(textOf('A', octets('<chaos.example> 0145'), 3)).toBe('chaos.example. 505');
  });

  test('shows wrong values that can be read', () => {
    expect(textOf('DS', octets('ec45 05 02 2bb1'))).toBe('60485 5 2 2bb1');
    expect(textOf('CAA', octets('00 03 612d22 78'))).toBe('0 a-\\" "x"');
    expect(textOf('SVCB', octets('0000 <> 0003 0002 0035'))).toBe('0 . port="53"');
  });

  test.each([
    ['SVCB', '0001 <> 0003 0002 0035 0001 0003 026832'],
    ['SVCB', '0001 <> 0003 0002 0035 0003 0002 0035'],
    ['SVCB', '0001 <> 0003 0001 35'],
    ['SVCB', '0001 <> 0001 0000'],
    ['SVCB', '0001 <> 0002 0001 00'],
    ['SVCB', '0001 <> 0004 0003 010203'],
    ['NSEC', '<b> 0101 80 0001 80'],
    ['LOC', '01 12 16 13 80000000 80000000 00989680'],
    ['LOC', '00 a2 16 13 80000000 80000000 00989680'],
    ['GPOS', '0378797a 0130 0130'],
    ['APL', '0001 21 04 c0a82001'],
    ['IPSECKEY', '0a 04 00'],
  ])('of type %s is refused, case %#', (type, wire) => {
    expect(() => textOf(type, octets(wire))).toThrow();
  });
});

describe('formatRtype', () => {
  test('prints a number for types that only the registry names', () => {
    expect([31, 41, 100, 250, 259, 65].map(formatRtype)).toEqual([
      'TYPE31',
      'OPT',
      'TYPE100',
      'TSIG',
      'TYPE259',
      'HTTPS',
    ]);
  });
});
