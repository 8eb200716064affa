// Only packets that answer the query at hand pass the check before the parse.
import { describe, expect, test } from 'vitest';
import { encodeQuery } from '../../../../services/agent/dns/encode-query.ts';
import { isReplyTo, isTruncated } from '../../../../services/agent/dns/match-reply.ts';
import { buildReply, wireName } from '../../../helpers/reply-builder.ts';

const query = encodeQuery({ id: 0x1234, name: wireName('www.example.test'), rtype: 1, edns: true });

describe('isReplyTo', () => {
  test.each([
    ['the same question', buildReply({})],
    ['the name in another case', buildReply({ qname: wireName('wWw.EXAMPLE.tesT') })],
    ['any flags and rcode', buildReply({ bits: 0x87b3 })],
    ['what follows the question being junk', buildReply({ trailer: Buffer.from('junk') })],
  ])('accepts %s', (_, reply) => {
    expect(isReplyTo(reply, query)).toBe(true);
  });

  test.each([
    ['another id', buildReply({ id: 0x1235 })],
    ['a query', buildReply({ bits: 0x0100 })],
    ['another opcode', buildReply({ bits: 0xa180 })],
    ['another name', buildReply({ qname: wireName('www.example.tesu') })],
    ['a name that differs in bit 0x20 of no letter', buildReply({ qname: wireName('www.exa-ple.test') })],
    ['a shorter name', buildReply({ qname: wireName('www.example') })],
    ['a longer name', buildReply({ qname: wireName('www.example.test.x') })],
    ['another type', buildReply({ qtype: 28 })],
    ['a name with a pointer', buildReply({ qname: Buffer.from('03777777c00c', 'hex') })],
  ])('refuses %s', (_, reply) => {
    expect(isReplyTo(reply, query)).toBe(false);
  });

  test('tells octets apart that only look like cases of one letter', () => {
    const asked = encodeQuery({ id: 1, name: wireName('a@b'), rtype: 1, edns: false });
    expect(isReplyTo(buildReply({ id: 1, qname: wireName('A@B') }), asked)).toBe(true);
    expect(isReplyTo(buildReply({ id: 1, qname: wireName('a`b') }), asked)).toBe(false);
  });

  test('refuses another class and more questions than one', () => {
    const otherClass = buildReply({});
    otherClass.writeUInt16BE(3, otherClass.length - 2);
    expect(isReplyTo(otherClass, query)).toBe(false);
    const twoQuestions = buildReply({});
    twoQuestions.writeUInt16BE(2, 4);
    expect(isReplyTo(twoQuestions, query)).toBe(false);
  });

  test('refuses every cut of a reply within its question', () => {
    const reply = buildReply({});
    for (let length = 0; length < reply.length; length += 1)
      expect(isReplyTo(reply.subarray(0, length), query)).toBe(false);
  });

  test.each([
    [1, true],
    [2, true],
    [4, true],
    [5, true],
    [0, false],
    [3, false],
  ])('judges a bare header with rcode %d: %s', (rcode, expected) => {
    const header = buildReply({ bits: 0x8180 | rcode }).subarray(0, 12);
    header.writeUInt16BE(0, 4);
    expect(isReplyTo(header, query)).toBe(expected);
  });
});

describe('isTruncated', () => {
  test('sees the TC bit and survives packets without a header', () => {
    expect(isTruncated(buildReply({ bits: 0x8380 }))).toBe(true);
    expect(isTruncated(buildReply({ bits: 0x8580 }))).toBe(false);
    expect(isTruncated(Buffer.from([0, 0, 0xff]))).toBe(false);
  });
});
