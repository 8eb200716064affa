// Replies become records; packets that break the rules become one reason, in little time.
import { encode } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { readReply } from '../../../../services/agent/dns/read-reply.ts';
import { type BuiltRecord, buildOpt, buildReply, pointer, wireName } from '../../../helpers/reply-builder.ts';

const a: BuiltRecord = { rtype: 1, rdata: Buffer.from([192, 0, 2, 1]) };
const question = 12;
const afterQuestion = question + wireName('www.example.test').length + 4;

function read(packet: Buffer, options?: { allowCut: boolean }) {
  const result = readReply(packet, options);
  if (result.kind === 'malformed') throw new Error(result.reason);
  return result.reply;
}

function reasonOf(packet: Buffer, options?: { allowCut: boolean }): string {
  const result = readReply(packet, options);
  return result.kind === 'malformed' ? result.reason : 'was read';
}

describe('readReply', () => {
  test('gives header, records of every section and EDNS', () => {
    const ns: BuiltRecord = {
      owner: pointer(question + 4),
      rtype: 2,
      ttl: 60,
      rdata: wireName('ns.example.test'),
    };
    const reply = read(
      buildReply({ bits: 0x8580, answer: [a], authority: [ns], additional: [buildOpt(), a] }),
    );
    const record = { name: 'www.example.test.', ttl: 300, rdclass: 'IN', rdtype: 'A', result: '192.0.2.1' };
    expect(reply).toEqual({
      rcode: 0,
      status: 'NOERROR',
      truncated: false,
      flags: ['aa', 'rd', 'ra'],
      answer: [record],
      authority: [
        { name: 'example.test.', ttl: 60, rdclass: 'IN', rdtype: 'NS', result: 'ns.example.test.' },
      ],
      additional: [record],
      hasEdns: true,
    });
  });

  test('reads what dns-packet writes, compressed names included', () => {
    const packet = encode({
      type: 'response',
      id: 1,
      questions: [{ type: 'MX', name: 'example.test' }],
      answers: [
        { type: 'MX', name: 'example.test', ttl: 5, data: { preference: 10, exchange: 'mail.example.test' } },
        { type: 'A', name: 'mail.example.test', ttl: 6, data: '192.0.2.7' },
      ],
    });
    expect(read(packet).answer).toEqual([
      { name: 'example.test.', ttl: 5, rdclass: 'IN', rdtype: 'MX', result: '10 mail.example.test.' },
      { name: 'mail.example.test.', ttl: 6, rdclass: 'IN', rdtype: 'A', result: '192.0.2.7' },
    ]);
  });

  test('names the flags in their order', () => {
    expect(read(buildReply({ bits: 0x87b0 })).flags).toEqual(['aa', 'tc', 'rd', 'ra', 'ad', 'cd']);
    expect(read(buildReply({ bits: 0x8000 })).flags).toEqual([]);
    expect(read(buildReply({ bits: 0x8200 })).truncated).toBe(true);
  });

  test.each([
    [3, 0, 3, 'NXDOMAIN'],
    [0, 1, 16, 'BADVERS'],
    [7, 1, 23, 'BADCOOKIE'],
    [12, 0, 12, '12'],
    [15, 255, 4095, '4095'],
  ])('merges rcode %d of the header with %d of OPT into %d, %s', (header, upper, rcode, status) => {
    const reply = read(buildReply({ bits: 0x8000 | header, additional: [buildOpt(upper)] }));
    expect(reply).toMatchObject({ rcode, status });
  });

  test('takes a TTL with the topmost bit set as zero and keeps the largest other', () => {
    const ttls = [0x80000000, 0xffffffff, 0x7fffffff].map((ttl) => ({ ...a, ttl }));
    expect(read(buildReply({ answer: ttls })).answer.map(({ ttl }) => ttl)).toEqual([0, 0, 0x7fffffff]);
  });

  test('prints classes and types without a name as CLASSn and TYPEn', () => {
    const classes = [3, 4, 254, 255, 2, 0x8001].map((rclass) => ({
      rclass,
      rtype: 65280,
      rdata: Buffer.alloc(0),
    }));
    const { answer } = read(buildReply({ answer: classes }));
    expect(answer.map(({ rdclass }) => rdclass)).toEqual(['CH', 'HS', 'NONE', 'ANY', 'CLASS2', 'CLASS32769']);
    expect(answer[0]).toMatchObject({ rdtype: 'TYPE65280', result: '\\# 0 ' });
  });

  test('reads a reply without a question', () => {
    const header = buildReply({ bits: 0x8181 }).subarray(0, 12);
    header.writeUInt16BE(0, 4);
    expect(read(header)).toMatchObject({ status: 'FORMERR', answer: [], hasEdns: false });
  });

  test('does not mind the contents of EDNS options, only their bounds', () => {
    const emptyClientSubnet = Buffer.from('00080000', 'hex');
    expect(read(buildReply({ additional: [buildOpt(0, emptyClientSubnet)] })).hasEdns).toBe(true);
    expect(
      reasonOf(buildReply({ additional: [buildOpt(0, Buffer.from('0008000100', 'hex').subarray(0, 4))] })),
    ).toBe('a field runs past its bounds');
  });
});

describe('names', () => {
  const nameOf = (owner: Buffer) => read(buildReply({ answer: [{ ...a, owner }] })).answer[0]?.name;

  test('keeps case and escapes what has a meaning in zone files', () => {
    const label = Buffer.from('A"().;\\@$ \x00\x7f\xff~!', 'latin1');
    expect(nameOf(Buffer.concat([Buffer.from([label.length]), label, Buffer.alloc(1)]))).toBe(
      'A\\"\\(\\)\\.\\;\\\\\\@\\$\\032\\000\\127\\255~!.',
    );
    expect(nameOf(Buffer.alloc(1))).toBe('.');
  });

  test('follows pointers to pointers and to suffixes', () => {
    expect(nameOf(Buffer.concat([Buffer.from('\x02ns'), pointer(question + 4)]))).toBe('ns.example.test.');
    const owners = [
      Buffer.from('\x01x\xc0\x0c', 'latin1'),
      pointer(afterQuestion),
      pointer(afterQuestion + 2),
    ];
    const { answer } = read(buildReply({ answer: owners.map((owner) => ({ ...a, owner })) }));
    expect(answer.map(({ name }) => name)).toEqual([
      'x.www.example.test.',
      'x.www.example.test.',
      'www.example.test.',
    ]);
  });

  const octets = (count: number, label: number) =>
    Buffer.concat(
      Array.from({ length: count }, () => Buffer.concat([Buffer.from([label]), Buffer.alloc(label, 97)])),
    );

  test('reads a name of 255 octets and refuses one of 256', () => {
    const rest = Buffer.concat([octets(3, 63), Buffer.from([61]), Buffer.alloc(61, 97), Buffer.alloc(1)]);
    expect(rest.length).toBe(255);
    expect(nameOf(rest)?.length).toBe(254);
    const longer = Buffer.concat([octets(3, 63), Buffer.from([62]), Buffer.alloc(62, 97), Buffer.alloc(1)]);
    expect(reasonOf(buildReply({ answer: [{ ...a, owner: longer }] }))).toBe(
      'a name has more than 255 octets',
    );
    const throughPointer = Buffer.concat([octets(118, 1), pointer(question)]);
    expect(nameOf(throughPointer)?.length).toBe(118 * 2 + 17);
    expect(
      reasonOf(buildReply({ answer: [{ ...a, owner: Buffer.concat([octets(119, 1), pointer(question)]) }] })),
    ).toBe('a name has more than 255 octets');
  });

  test.each([
    ['points to itself', pointer(afterQuestion), 'a name points forward or to itself'],
    ['points forward', pointer(afterQuestion + 20), 'a name points forward or to itself'],
    ['points beyond the packet', pointer(0x3fff), 'a name points forward or to itself'],
    [
      'loops through a label',
      Buffer.concat([Buffer.from('\x01a'), pointer(afterQuestion)]),
      'a name points forward or to itself',
    ],
    ['has a label type 0x40', Buffer.from([0x41, 0x61, 0]), 'a label has a reserved type'],
    ['has a label type 0x80', Buffer.from([0x80, 0]), 'a label has a reserved type'],
  ])('refuses a name that %s', (_, owner, reason) => {
    expect(reasonOf(buildReply({ answer: [{ ...a, owner }] }))).toBe(reason);
  });

  test('refuses a pointer to labels that run into the name itself', () => {
    // The answer's owner points at the RDATA length octets of nothing: a label of 20 octets reaching over the pointer.
    const opaque: BuiltRecord = { rtype: 10, rdata: Buffer.from([20]) };
    const into = pointer(afterQuestion + 12);
    expect(reasonOf(buildReply({ answer: [opaque, { ...a, owner: into }] }))).toBe(
      'a name runs past its bounds',
    );
  });

  test('follows 16 pointers in a row and not 17', () => {
    const chain = (count: number) => {
      const start = afterQuestion + 12;
      const pointers = Array.from({ length: count }, (_, index) =>
        pointer(index === 0 ? question : start + 2 * index - 2),
      );
      const opaque: BuiltRecord = { rtype: 10, rdata: Buffer.concat(pointers) };
      return buildReply({ answer: [opaque, { ...a, owner: pointer(start + 2 * count - 2) }] });
    };
    expect(read(chain(15)).answer[1]?.name).toBe('www.example.test.');
    expect(reasonOf(chain(16))).toBe('a name has a pointer too many');
  });

  test('refuses a name whose own octets leave the RDATA although the packet goes on', () => {
    const mx: BuiltRecord = { rtype: 15, rdata: Buffer.from('000a02', 'hex') };
    expect(reasonOf(buildReply({ answer: [mx, a] }))).toBe('a name runs past its bounds');
  });
});

describe('bounds', () => {
  test.each([
    ['an A record of three octets', { rtype: 1, rdata: Buffer.alloc(3) }],
    ['an A record of five', { rtype: 1, rdata: Buffer.alloc(5) }],
    ['an A record of none', { rtype: 1, rdata: Buffer.alloc(0) }],
    ['an AAAA record of fifteen', { rtype: 28, rdata: Buffer.alloc(15) }],
    ['a CNAME with an octet too many', { rtype: 5, rdata: Buffer.from('00ff', 'hex') }],
    ['an MX without a name', { rtype: 15, rdata: Buffer.alloc(2) }],
    ['an SOA cut in its numbers', { rtype: 6, rdata: Buffer.alloc(21) }],
    ['a TXT string longer than the record', { rtype: 16, rdata: Buffer.from([5, 97]) }],
    ['a TXT record without a string', { rtype: 16, rdata: Buffer.alloc(0) }],
    ['an RDLENGTH that is too short', { ...a, rdlength: 3 }],
    ['an RDLENGTH that takes in the next record', { ...a, rdlength: 5 }],
    ['an SVCB value that overruns', { rtype: 64, rdata: Buffer.from('0001000003000400', 'hex') }],
    ['a bitmap window of 33 octets', { rtype: 47, rdata: Buffer.from([0, 0, 33, ...Array(33).fill(1)]) }],
  ])('refuses %s', (_, record) => {
    expect(readReply(buildReply({ answer: [record, a] })).kind).toBe('malformed');
  });

  test('refuses every cut of a reply and every octet behind it', () => {
    const reply = buildReply({ answer: [a, a], additional: [buildOpt()] });
    for (let length = 0; length < reply.length; length += 1)
      expect(readReply(reply.subarray(0, length)).kind).toBe('malformed');
    expect(reasonOf(Buffer.concat([reply, Buffer.alloc(1)]))).toBe('octets follow the last record');
  });

  test('refuses counts that cannot fit, before it reads a record', () => {
    expect(reasonOf(Buffer.alloc(12, 0xff))).toBe('the header counts more records than fit');
    const reply = buildReply({ answer: [a] });
    reply.writeUInt16BE(4, 6);
    expect(reasonOf(reply)).toBe('the header counts more records than fit');
  });

  test('refuses OPT records out of place, doubled or with an owner, and signed replies', () => {
    expect(reasonOf(buildReply({ answer: [buildOpt()] }))).toBe('an OPT record is out of place');
    expect(reasonOf(buildReply({ additional: [buildOpt(), buildOpt()] }))).toBe(
      'an OPT record is out of place',
    );
    expect(reasonOf(buildReply({ additional: [{ ...buildOpt(), owner: pointer(12) }] }))).toBe(
      'an OPT record is out of place',
    );
    expect(reasonOf(buildReply({ additional: [{ rtype: 250, rclass: 255, rdata: Buffer.alloc(20) }] }))).toBe(
      'the reply is signed, its query was not',
    );
  });
});

describe('allowCut', () => {
  const whole = buildReply({ bits: 0x8380, answer: [a, a, a], additional: [buildOpt(1)] });
  const recordLength = 16;

  test('yields the records before the cut, wherever it is', () => {
    for (let length = afterQuestion; length < whole.length - 1; length += 1) {
      const { answer } = read(whole.subarray(0, length), { allowCut: true });
      expect(answer.length).toBe(Math.min(3, Math.floor((length - afterQuestion) / recordLength)));
    }
  });

  test('still refuses a record that is whole but wrong, and a name that is', () => {
    const short: BuiltRecord = { rtype: 1, rdata: Buffer.alloc(3) };
    expect(reasonOf(buildReply({ answer: [a, short] }), { allowCut: true })).toBe(
      'a field runs past its bounds',
    );
    const loop: BuiltRecord = { ...a, owner: pointer(afterQuestion + recordLength) };
    expect(reasonOf(buildReply({ answer: [a, loop] }), { allowCut: true })).toBe(
      'a name points forward or to itself',
    );
  });

  test('reads a whole reply as it does without', () => {
    expect(readReply(whole, { allowCut: true })).toEqual(readReply(whole));
  });
});

describe('packets made to cost time', () => {
  /** Milliseconds of the fastest of some reads: what the packet costs, not what else the machine does. */
  function cost(packet: Buffer): number {
    const times = Array.from({ length: 8 }, () => {
      const start = performance.now();
      readReply(packet);
      return performance.now() - start;
    });
    return Math.min(...times);
  }

  /** 16 KB of one-octet labels in an opaque record, then records with three pointers each into a new place of it. */
  function manyNames(): Buffer {
    const labels = Buffer.alloc(16_000);
    for (let index = 0; index < labels.length; index += 2)
      labels.set(index % 252 === 250 ? [0, 0] : [1, 0], index);
    const start = afterQuestion + 12;
    const aim = (index: number) => pointer(start + ((index * 2) % 15_000));
    const records = Array.from({ length: 2_900 }, (_, index) => ({
      owner: aim(3 * index),
      rtype: 17,
      rdata: Buffer.concat([aim(3 * index + 1), aim(3 * index + 2)]),
    }));
    return buildReply({ answer: [{ rtype: 10, rdata: labels }, ...records] });
  }

  test('costs little to refuse 60 KB of pointers into overlapping names', () => {
    const packet = manyNames();
    expect(reasonOf(packet)).toBe('the names expand to more than 1 MiB');
    expect(cost(packet)).toBeLessThan(80);
  });

  test('costs little to refuse a chain of 8,000 pointers', () => {
    const start = afterQuestion + 12;
    const chain = Array.from({ length: 8_000 }, (_, index) =>
      pointer(index === 0 ? question : start + 2 * index - 2),
    );
    const owners = Array.from({ length: 3_000 }, () => ({ ...a, owner: pointer(start + 2 * 7_999) }));
    const packet = buildReply({ answer: [{ rtype: 10, rdata: Buffer.concat(chain) }, ...owners] });
    expect(reasonOf(packet)).toBe('a name has a pointer too many');
    expect(cost(packet)).toBeLessThan(5);
  });

  test('reads 4,000 addresses under the longest name', () => {
    const labels = Buffer.concat([...Array(127).fill(Buffer.from('\x01a')), Buffer.alloc(1)]);
    const packet = buildReply({ qname: labels, answer: Array(4_000).fill(a) });
    expect(read(packet).answer.length).toBe(4_000);
    expect(cost(packet)).toBeLessThan(80);
  });

  test('costs little to refuse 60 KB of full type bitmaps', () => {
    const windows = Array.from({ length: 256 }, (_, window) =>
      Buffer.from([window, 32, ...Array(32).fill(255)]),
    );
    const nsec: BuiltRecord = { rtype: 47, rdata: Buffer.concat([Buffer.alloc(1), ...windows]) };
    const packet = buildReply({ answer: Array(6).fill(nsec) });
    expect(reasonOf(packet)).toBe('the bitmaps list too many items');
    expect(cost(packet)).toBeLessThan(80);
  });
});
