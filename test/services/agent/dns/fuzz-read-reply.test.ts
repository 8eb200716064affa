// 100,000 mutated replies: the reader neither throws nor hangs, and every record it yields lies within its bounds.
import { describe, expect, test } from 'vitest';
import { formatRtype } from '../../../../contracts/dns-rtype.ts';
import type { SectionRecord } from '../../../../contracts/probe.ts';
import { isReplyTo } from '../../../../services/agent/dns/match-reply.ts';
import { formatRdclass } from '../../../../services/agent/dns/rdclass.ts';
import { readReply } from '../../../../services/agent/dns/read-reply.ts';
import { buildOpt, buildReply, pointer } from '../../../helpers/reply-builder.ts';
import { createSeededRandom, type SeededRandom } from '../../../helpers/seeded-random.ts';
import { fieldsByType, randomRdata } from './random-rdata.ts';

const rounds = 100_000;
const seed = 20_240_601;
const sections = ['answer', 'authority', 'additional'] as const;

type WalkedRecord = { type: number; class: number; ttl: number; rdata: Buffer };

/** A plain comparison: the matchers of the test runner would take most of the time of so many rounds. */
function expectSame(actual: unknown, expected: unknown): void {
  const texts = [actual, expected].map((value) => JSON.stringify(value));
  if (texts[0] !== texts[1]) throw new Error(`${texts[0]} is not ${texts[1]}`);
}

/** Another, minimal walk over a message: where each record lies, by the lengths it states and nothing else. */
function walk(packet: Buffer): WalkedRecord[][] {
  let offset = 12;
  const skipName = () => {
    for (;;) {
      const count = packet.readUInt8(offset);
      offset += count >= 0xc0 ? 2 : 1 + count;
      if (count === 0 || count >= 0xc0) return;
    }
  };
  for (let left = packet.readUInt16BE(4); left > 0; left -= 1) {
    skipName();
    offset += 4;
  }
  const walked = [6, 8, 10].map((countAt) => {
    const records: WalkedRecord[] = [];
    for (let left = packet.readUInt16BE(countAt); left > 0; left -= 1) {
      skipName();
      const end = offset + 10 + packet.readUInt16BE(offset + 8);
      if (end > packet.length) throw new Error('a record reaches beyond the packet');
      records.push({
        type: packet.readUInt16BE(offset),
        class: packet.readUInt16BE(offset + 2),
        ttl: packet.readUInt32BE(offset + 4),
        rdata: packet.subarray(offset + 10, end),
      });
      offset = end;
    }
    return records;
  });
  expectSame(offset, packet.length);
  return walked;
}

/** The text of types whose RDATA is all there is to them, from the octets between the record's bounds. */
function plainText({ type, class: rdclass, rdata }: WalkedRecord): string | undefined {
  if (type === 1 && rdclass === 1) return rdata.length === 4 ? rdata.join('.') : 'no address';
  if (type === 61) return rdata.toString('base64');
  if (type === 22 && rdclass === 1) return `0x${rdata.toString('hex')}`;
  if (type !== 65280) return undefined;
  return `\\# ${rdata.length} ${(rdata.toString('hex').match(/.{1,128}/g) ?? []).join(' ')}`;
}

function expectWithinBounds(packet: Buffer, reply: Record<(typeof sections)[number], SectionRecord[]>): void {
  for (const [index, walked] of walk(packet).entries()) {
    const records = reply[sections[index] ?? 'answer'];
    const expected = walked.filter(({ type }) => type !== 41);
    expectSame(records.length, expected.length);
    for (const [at, record] of records.entries()) {
      const source = expected[at];
      if (source === undefined) throw new Error('a record out of nowhere');
      expectSame(
        [record.rdtype, record.rdclass, record.ttl, record.result],
        [
          formatRtype(source.type),
          formatRdclass(source.class),
          source.ttl > 0x7fffffff ? 0 : source.ttl,
          plainText(source) ?? record.result,
        ],
      );
      // An octet makes 80 characters at most, in a bitmap; a pointer up to 1,020.
      if (record.result.length > 200 + source.rdata.length * 1_100)
        throw new Error('more text than octets make');
    }
  }
}

function buildRandomReply(random: SeededRandom): Buffer {
  const types = [...fieldsByType.keys()];
  const record = () => {
    const rtype = random.pick(types);
    return { rtype, ttl: random.below(100_000), rdata: randomRdata(random, rtype), owner: pointer(12) };
  };
  const records = (most: number) => Array.from({ length: random.below(most + 1) }, record);
  return buildReply({
    answer: records(4),
    authority: records(2),
    additional: random.below(2) === 0 ? [...records(2), buildOpt(random.below(2))] : records(2),
  });
}

function mutate(random: SeededRandom, source: Buffer): Buffer {
  let packet: Buffer = Buffer.from(source);
  for (let left = 1 + random.below(4); left > 0; left -= 1) {
    const at = random.below(packet.length);
    switch (random.below(8)) {
      case 0:
        packet[at] = random.below(256);
        break;
      case 1:
        packet[at] = packet.readUInt8(at) ^ (1 << random.below(8));
        break;
      case 2:
        packet[at] = random.pick([0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xff]);
        break;
      case 3:
        packet = packet.subarray(0, Math.max(1, at));
        break;
      case 4:
        packet = Buffer.concat([
          packet.subarray(0, at),
          random.octets(1 + random.below(4)),
          packet.subarray(at),
        ]);
        break;
      case 5:
        packet = Buffer.concat([
          packet.subarray(0, at),
          packet.subarray(Math.min(packet.length, at + 1 + random.below(4))),
        ]);
        break;
      case 6:
        if (at + 1 < packet.length) packet.writeUInt16BE(0xc000 | random.below(packet.length), at);
        break;
      default:
        if (packet.length > 12) packet.writeUInt16BE(random.below(6), random.pick([4, 6, 8, 10]));
    }
    if (packet.length === 0) return Buffer.from([0]);
  }
  return packet;
}

/** The same octets between others, so that a read beyond the packet shows as another result. */
function surround(packet: Buffer, octet: number): Buffer {
  const around = Buffer.alloc(packet.length + 512, octet);
  packet.copy(around, 256);
  return around.subarray(256, 256 + packet.length);
}

describe('readReply on mutated replies', () => {
  test(`neither throws, hangs nor leaves the bounds of a record in ${rounds} rounds`, {
    timeout: 60_000,
  }, () => {
    const random = createSeededRandom(seed);
    const query = buildReply({}).subarray(0, 34);
    let source = buildRandomReply(random);
    let replies = 0;
    let slowestMs = 0;
    for (let round = 0; round < rounds; round += 1) {
      if (round % 20 === 0) source = buildRandomReply(random);
      const packet = mutate(random, source);
      try {
        const start = performance.now();
        const result = readReply(packet);
        slowestMs = Math.max(slowestMs, performance.now() - start);
        isReplyTo(packet, query);
        if (result.kind === 'reply') {
          replies += 1;
          expectWithinBounds(packet, result.reply);
          expectSame(readReply(surround(packet, 0xc0)), result);
        } else {
          if (result.reason.includes('reader fault')) throw new Error(result.reason);
          expectSame(readReply(surround(packet, 0x00)), result);
        }
        const cut = readReply(packet, { allowCut: true });
        if (result.kind === 'reply') expectSame(cut, result);
        else if (cut.kind === 'malformed' && cut.reason.includes('reader fault')) throw new Error(cut.reason);
      } catch (error) {
        throw new Error(`seed ${seed}, round ${round}, packet ${packet.toString('hex')}`, { cause: error });
      }
    }
    // Both outcomes occur often enough for the checks to mean something.
    expect(replies).toBeGreaterThan(rounds / 20);
    expect(replies).toBeLessThan(rounds * 0.9);
    // Generous: a pause of the machine is not the reader's.
    expect(slowestMs).toBeLessThan(1_000);
  });

  test('reads its own sources before they are mutated', () => {
    const random = createSeededRandom(seed);
    for (let round = 0; round < 2_000; round += 1) {
      const packet = buildRandomReply(random);
      const result = readReply(packet);
      if (result.kind === 'malformed') throw new Error(`${result.reason}: ${packet.toString('hex')}`);
      expectWithinBounds(packet, result.reply);
    }
  });

  test('survives 64 KB of junk behind a plausible header', { timeout: 30_000 }, () => {
    const random = createSeededRandom(seed);
    const junk = random.octets(65_535);
    const start = performance.now();
    for (let round = 0; round < 300; round += 1) {
      const packet = junk.subarray(random.below(60_000));
      packet.writeUInt16BE(1, 4);
      for (const countAt of [6, 8, 10]) packet.writeUInt16BE(random.below(200), countAt);
      const result = readReply(packet);
      if (result.kind === 'malformed') expect(result.reason).not.toContain('reader fault');
    }
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
