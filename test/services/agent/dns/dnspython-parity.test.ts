// Every record type reads as dnspython prints it, byte for byte: from a real authoritative server, and at random.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatRcode } from '../../../../contracts/dns-rcode.ts';
import { formatRtype, parseRtype } from '../../../../contracts/dns-rtype.ts';
import { encodeDomainName } from '../../../../contracts/domain-name.ts';
import { encodeQuery } from '../../../../services/agent/dns/encode-query.ts';
import { isReplyTo, isTruncated } from '../../../../services/agent/dns/match-reply.ts';
import { formatRdclass } from '../../../../services/agent/dns/rdclass.ts';
import { readReply } from '../../../../services/agent/dns/read-reply.ts';
import { createFrameReader, frameMessage } from '../../../../services/agent/dns/tcp-frames.ts';
import { type AuthoritativeServer, startAuthoritativeServer } from '../../../helpers/authoritative-server.ts';
import { type Dnspython, type PrintedReply, startDnspython } from '../../../helpers/dnspython.ts';
import { buildReply } from '../../../helpers/reply-builder.ts';
import { createSeededRandom } from '../../../helpers/seeded-random.ts';
import { fieldsByType, randomRdata } from './random-rdata.ts';

const zone = 'alltypes.test';
const signedZone = 'nsec3.test';
const seed = 20_240_601;

/** Type and owner of every RRset of the zone, the owner being named after the type but for those given here. */
const namedAfterThemselves = (
  'A AAAA CNAME PTR DNAME MX TXT SPF SRV CAA NAPTR CDS DLV TA DNSKEY CDNSKEY KEY RRSIG SIG NSEC NSEC3PARAM ' +
  'TLSA SMIMEA SSHFP HTTPS SVCB LOC URI HINFO CERT OPENPGPKEY NULL TYPE65280 TYPE31 CSYNC ZONEMD EUI48 EUI64 RP ' +
  'AFSDB KX RT PX APL IPSECKEY DHCID HIP L32 L64 LP NID GPOS ISDN X25 NSAP NSAP-PTR WKS AVC NINFO RESINFO WALLET ' +
  'AMTRELAY DSYNC HHIT BRID'
).split(' ');
const rrsets: [type: string, owner: string][] = [
  ['SOA', zone],
  ['NS', zone],
  ['DS', `child.${zone}`],
  ['HTTPS', `httpsalias.${zone}`],
  ['SVCB', `svcbalias.${zone}`],
  ...namedAfterThemselves.map((type): [string, string] => [type, `${type.toLowerCase()}.${zone}`]),
];

function zoneFile(name: string): string {
  return fileURLToPath(new URL(`zones/${name}.zone`, import.meta.url));
}

let dnspython: Dnspython;
let server: AuthoritativeServer;

beforeAll(async () => {
  server = await startAuthoritativeServer({
    zones: [zone, signedZone].map((name) => ({ name, file: zoneFile(name) })),
  });
  dnspython = await startDnspython();
}, 300_000);

afterAll(async () => {
  await Promise.all([dnspython?.stop(), server?.stop()]);
});

async function askOverUdp(query: Buffer): Promise<Buffer> {
  const socket = createSocket('udp4');
  try {
    socket.connect(server.port, server.address);
    await once(socket, 'connect');
    socket.send(query);
    const [reply]: Buffer[] = await once(socket, 'message');
    if (reply === undefined) throw new Error('a message without octets');
    return reply;
  } finally {
    socket.close();
  }
}

async function askOverTcp(query: Buffer): Promise<Buffer> {
  const socket = connect(server.port, server.address);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const readFrames = createFrameReader((message) => {
    resolve(Buffer.from(message));
    return false;
  });
  socket.on('data', readFrames).on('error', reject);
  socket.on('close', () => reject(new Error('the server closed before it answered')));
  socket.write(frameMessage(query));
  return promise.finally(() => socket.destroy());
}

async function ask(owner: string, rtype: number, isDnssecWanted = false): Promise<Buffer> {
  const name = encodeDomainName(owner);
  if (!name.ok) throw new Error(`${owner} ${name.reason}`);
  const query = encodeQuery({ id: 0x2345, name: name.wire, rtype, edns: true });
  // The DO bit is the topmost of the OPT record's flags, which end four octets before the query does.
  if (isDnssecWanted) query[query.length - 4] = 0x80;
  const overUdp = await askOverUdp(query);
  expect(isReplyTo(overUdp, query)).toBe(true);
  if (!isTruncated(overUdp)) return overUdp;
  const overTcp = await askOverTcp(query);
  expect(isReplyTo(overTcp, query)).toBe(true);
  return overTcp;
}

/** What this project reads, in the shape dnspython's answer comes in. */
function read(packet: Buffer): PrintedReply {
  const result = readReply(packet);
  if (result.kind === 'malformed') throw new Error(result.reason);
  const { rcode, status, answer, authority, additional } = result.reply;
  return { kind: 'reply', rcode, status, answer, authority, additional };
}

describe('a zone with every record type on a real server', () => {
  test.each(rrsets)('%s at %s reads as dnspython prints it', { timeout: 20_000 }, async (type, owner) => {
    const rtype = parseRtype(type);
    if (rtype === undefined) throw new Error(`no type ${type}`);
    const packet = await ask(owner, rtype);
    const ours = read(packet);
    expect(ours.answer.length).toBeGreaterThan(0);
    expect(new Set(ours.answer.map((record) => record.rdtype))).toEqual(new Set([formatRtype(rtype)]));
    expect(ours).toEqual(
      await dnspython.ask({ name: owner, rtype, address: server.address, port: server.port }),
    );
    expect(ours).toEqual(await dnspython.parse(packet));
  });

  test('NSEC3 reads as dnspython prints it, in the proof that a name is missing', async () => {
    const packet = await ask(`missing.${signedZone}`, 1, true);
    const ours = read(packet);
    const hashes = ours.authority.filter(({ rdtype }) => rdtype === 'NSEC3');
    expect(hashes.length).toBeGreaterThan(0);
    expect(hashes[0]?.result).toMatch(/^1 1 2 aabbccdd [0-9a-v]{32} /);
    expect(ours).toEqual(await dnspython.parse(packet));
  });

  test('covers every type that has a text form of its own and can be served', () => {
    const served = new Set(rrsets.map(([type]) => parseRtype(type)));
    // NSEC3 (50) is served above, as proof; TKEY (249) exists within a transaction only.
    const missing = [...fieldsByType.keys()].filter(
      (rtype) => !served.has(rtype) && ![50, 249].includes(rtype),
    );
    expect(missing).toEqual([]);
  });

  test('reads negative answers and referrals alike', async () => {
    for (const [owner, type] of [
      [`missing.${zone}`, 1],
      [`a.${zone}`, 28],
      [`below.child.${zone}`, 1],
      ['elsewhere.test', 1],
    ] as const) {
      const ours = read(await ask(owner, type));
      expect(ours).toEqual(
        await dnspython.ask({ name: owner, rtype: type, address: server.address, port: server.port }),
      );
    }
  });
});

describe('records at random', () => {
  /** Reads the packets on both sides; gives those that only one side reads, and throws at the first difference. */
  async function compare(packets: Buffer[]) {
    const theirs = await Promise.all(packets.map((packet) => dnspython.parse(packet)));
    const outcome = {
      readByBoth: 0,
      refusedByBoth: 0,
      refusedByUs: [] as string[],
      refusedByThem: [] as string[],
    };
    for (const [index, packet] of packets.entries()) {
      const their = theirs[index];
      const our = readReply(packet);
      const label = `seed ${seed}, packet ${packet.toString('hex')}`;
      if (their?.kind === 'reply' && our.kind === 'reply') {
        outcome.readByBoth += 1;
        expect(read(packet), label).toEqual(their);
      } else if (their?.kind === 'reply') outcome.refusedByUs.push(label);
      else if (our.kind === 'reply') outcome.refusedByThem.push(`${their?.reason}: ${label}`);
      else outcome.refusedByBoth += 1;
    }
    return outcome;
  }

  const types = [...fieldsByType.keys()];

  test('of the right layout read the same, all of them', { timeout: 60_000 }, async () => {
    const random = createSeededRandom(seed);
    const packets = types.flatMap((rtype) =>
      Array.from({ length: 40 }, () =>
        buildReply({ answer: [{ rtype, rdata: randomRdata(random, rtype) }] }),
      ),
    );
    const outcome = await compare(packets);
    expect(outcome).toEqual({
      readByBoth: packets.length,
      refusedByBoth: 0,
      refusedByUs: [],
      refusedByThem: [],
    });
  });

  test('with wrong octets read the same whenever dnspython reads them', { timeout: 60_000 }, async () => {
    const random = createSeededRandom(seed + 1);
    const packets = types.flatMap((rtype) =>
      Array.from({ length: 40 }, () => {
        const rdata = randomRdata(random, rtype);
        const at = random.below(rdata.length + 1);
        const damaged = random.pick([
          Buffer.concat([rdata.subarray(0, at), random.octets(1), rdata.subarray(at + 1)]),
          Buffer.concat([rdata.subarray(0, at), random.octets(1), rdata.subarray(at)]),
          rdata.subarray(0, at),
        ]);
        return buildReply({ answer: [{ rtype, rclass: random.pick([1, 1, 1, 3, 4, 254]), rdata: damaged }] });
      }),
    );
    const outcome = await compare(packets);
    expect(outcome.refusedByUs).toEqual([]);
    expect(outcome.readByBoth).toBeGreaterThan(packets.length / 4);
    expect(outcome.refusedByBoth).toBeGreaterThan(packets.length / 20);
  });
});

describe('codes', () => {
  test('have the names dnspython gives them, every type, class and rcode', async () => {
    const numbers = Array.from({ length: 65_536 }, (_, number) => number);
    expect(await dnspython.names()).toEqual({
      rdtypes: numbers.map(formatRtype),
      rdclasses: numbers.map(formatRdclass),
      rcodes: numbers.slice(0, 4_096).map(formatRcode),
    });
  });
});
