// Queries carry the type, name and EDNS data they were asked to carry; dns-packet reads them as a second opinion.
import { decode } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { parseRtype } from '../../../../contracts/dns-rtype.ts';
import { encodeQuery } from '../../../../services/agent/dns/encode-query.ts';
import { wireName } from '../../../helpers/reply-builder.ts';

const name = wireName('www.example.test');

describe('encodeQuery', () => {
  test('lays out header, question and OPT record octet by octet', () => {
    expect(encodeQuery({ id: 0xabcd, name, rtype: 28, edns: true }).toString('hex')).toBe(
      [
        'abcd01000001000000000001',
        '03777777076578616d706c65047465737400001c0001',
        // Root, type OPT, payload 1232, no extended rcode, version 0, no flags, no options.
        '00002904d0000000000000',
      ].join(''),
    );
  });

  test('leaves out the OPT record on demand', () => {
    const query = encodeQuery({ id: 1, name, rtype: 1, edns: false });
    expect(query.toString('hex')).toBe(
      '0001010000010000000000000377777707' + '6578616d706c65047465737400' + '00010001',
    );
  });

  test('keeps queries with and without EDNS apart', () => {
    for (const edns of [true, false, true, false]) {
      const packet = decode(encodeQuery({ id: 7, name, rtype: 1, edns }));
      expect(packet.additionals?.length).toBe(edns ? 1 : 0);
      expect(packet.flag_rd).toBe(true);
      expect(packet.id).toBe(7);
    }
  });

  test('asks type 65 for HTTPS, 64 for SVCB and n for TYPEn', () => {
    const asked = ['HTTPS', 'SVCB', 'TYPE65280'].map((text) => {
      const query = encodeQuery({ id: 1, name, rtype: parseRtype(text) ?? 0, edns: true });
      return query.readUInt16BE(12 + name.length);
    });
    expect(asked).toEqual([65, 64, 65280]);
  });

  test('is read by dns-packet as the same question', () => {
    const packet = decode(encodeQuery({ id: 0xffff, name, rtype: 15, edns: true }));
    expect(packet.questions).toEqual([{ name: 'www.example.test', type: 'MX', class: 'IN' }]);
    expect(packet.additionals).toMatchObject([
      { type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0, flags: 0 },
    ]);
    expect(packet).toMatchObject({ id: 0xffff, type: 'query', opcode: 'QUERY' });
  });

  test('carries the longest name and the root', () => {
    const longest = Buffer.concat([...Array(127).fill(Buffer.from('\x01a')), Buffer.alloc(1)]);
    for (const wire of [longest, Buffer.alloc(1)]) {
      const query = encodeQuery({ id: 1, name: wire, rtype: 1, edns: true });
      expect(query.subarray(12, 12 + wire.length)).toEqual(wire);
      expect(query.length).toBe(12 + wire.length + 4 + 11);
    }
  });

  test('gives a fresh buffer each time, so that the id may be overwritten', () => {
    const first = encodeQuery({ id: 1, name, rtype: 1, edns: true });
    first.writeUInt16BE(0x5555, 0);
    expect(encodeQuery({ id: 2, name, rtype: 1, edns: true }).readUInt16BE(0)).toBe(2);
  });
});
