// Random RDATA that follows the layout of each type, for comparing and mutating.
import { pointer } from '../../../helpers/reply-builder.ts';
import type { SeededRandom } from '../../../helpers/seeded-random.ts';

type Field = (random: SeededRandom) => Buffer;

const uint8: Field = (random) => random.octets(1);
const uint16: Field = (random) => random.octets(2);
const uint32: Field = (random) => random.octets(4);
const fixed =
  (...octets: number[]): Field =>
  () =>
    Buffer.from(octets);
const octets =
  (count: number): Field =>
  (random) =>
    random.octets(count);
const rest: Field = (random) => random.octets(random.pick([0, 1, 2, 3, 20, 24, 48, 64, 65, 100, 200]));

/** Printable or not, often with characters that need an escape. */
const text = (random: SeededRandom, count: number): Buffer =>
  Buffer.from(
    Array.from({ length: count }, () =>
      random.below(3) === 0 ? random.below(256) : random.pick([...Buffer.from('azAZ09-_ ",.;\\$@()')]),
    ),
  );
const string: Field = (random) => {
  const count = random.pick([0, 1, 5, 20, 255]);
  return Buffer.concat([Buffer.from([count]), text(random, count)]);
};
const strings: Field = (random) =>
  Buffer.concat(Array.from({ length: 1 + random.below(3) }, () => string(random)));
const labels = (random: SeededRandom): Buffer =>
  Buffer.concat(
    Array.from({ length: random.below(4) }, () => {
      const count = 1 + random.below(random.pick([3, 12, 40]));
      return Buffer.concat([Buffer.from([count]), text(random, count)]);
    }),
  );
const plainName: Field = (random) => Buffer.concat([labels(random), Buffer.alloc(1)]);
/** 12 is the name in the question. */
const name: Field = (random) =>
  Buffer.concat([labels(random), random.below(2) === 0 ? pointer(12) : Buffer.alloc(1)]);

const bitmap: Field = (random) => {
  const windows: Buffer[] = [];
  for (let window = random.below(3); window < 256; window += 1 + random.below(200)) {
    const count = 1 + random.below(32);
    const bits = random.octets(count);
    bits[count - 1] = 1 + random.below(255);
    windows.push(Buffer.from([window, count]), bits);
  }
  return Buffer.concat(windows);
};

const gateway: Field = (random) => {
  const type = random.below(4);
  const value = [Buffer.alloc(0), random.octets(4), random.octets(16), plainName(random)][type];
  return Buffer.concat([Buffer.from([type]), uint8(random), value ?? Buffer.alloc(0)]);
};
const relay: Field = (random) => {
  const [type = 0, , ...value] = gateway(random);
  return Buffer.from([type | (random.below(2) << 7), ...value]);
};

const list = (random: SeededRandom, item: Field): Buffer =>
  Buffer.concat(Array.from({ length: 1 + random.below(3) }, () => item(random)));
const alpnId: Field = (random) => {
  const count = 1 + random.below(8);
  return Buffer.concat([Buffer.from([count]), text(random, count)]);
};
const ech: Field = (random) => {
  const config = random.octets(4 + random.below(40));
  return Buffer.concat([Buffer.from([0, config.length]), config]);
};
const parameterValues: [key: number, value: Field][] = [
  [1, (random) => list(random, alpnId)],
  [2, fixed()],
  [3, uint16],
  [4, (random) => list(random, octets(4))],
  [5, ech],
  [6, (random) => list(random, octets(16))],
  [7, rest],
  [8, fixed()],
  [9, rest],
  [10, (random) => list(random, alpnId)],
  [65_333, rest],
];
const parameter = (key: number, value: Buffer): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(key, 0);
  head.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, value]);
};
const parameters: Field = (random) => {
  const parts: Buffer[] = [];
  // no-default-alpn may only stand beside alpn.
  const hasAlpn = random.below(2) === 0;
  if (hasAlpn && random.below(2) === 0) parts.push(parameter(0, Buffer.from([0, 1])));
  for (const [key, value] of parameterValues) {
    const isChosen = key === 1 ? hasAlpn : random.below(2) === 0 && (key !== 2 || hasAlpn);
    if (isChosen) parts.push(parameter(key, value(random)));
  }
  return Buffer.concat(parts);
};

const aplItem: Field = (random) => {
  const family = random.pick([1, 2, 3]);
  const address = random.octets(random.below(5));
  if (address.length > 0) address[address.length - 1] = 1 + random.below(255);
  const sign = random.below(2) << 7;
  return Buffer.concat([Buffer.from([0, family, random.below(33), sign | address.length]), address]);
};

const decimalText: Field = (random) => {
  const digits = random.pick(['0', '12.5', '-80', '+.5', '5.', '-0.001', '007', '90']);
  return Buffer.concat([Buffer.from([digits.length]), Buffer.from(digits)]);
};

const locSize: Field = (random) =>
  Buffer.from([random.below(3) === 0 ? 0 : ((1 + random.below(9)) << 4) | random.below(10)]);
const locCoordinate =
  (degrees: number): Field =>
  (random) => {
    const offset = random.below(2 * degrees * 3_600_000 + 1) - degrees * 3_600_000;
    const octets = Buffer.alloc(4);
    octets.writeUInt32BE(0x80000000 + random.pick([offset, random.below(100_000), 0]));
    return octets;
  };
const locAltitude: Field = (random) => {
  const octets = Buffer.alloc(4);
  octets.writeUInt32BE(random.pick([10_000_000 + random.below(2_000) - 1_000, random.below(2 ** 32)]));
  return octets;
};

/** A type of digest and a digest as long as that type wants it. */
const digest =
  (...lengths: [type: number, octets: number][]): Field =>
  (random) => {
    const [type, count] = random.pick(lengths);
    return Buffer.concat([Buffer.from([type]), random.octets(count)]);
  };
const dsDigest = digest([1, 20], [2, 32], [3, 32], [4, 48], [9, 70]);
const tlsaData = digest([0, 130], [1, 32], [2, 64], [3, 1]);

const tag: Field = (random) =>
  random.pick([Buffer.from('\x05issue'), Buffer.from('\x09issueWild'), Buffer.from('\x01x')]);
const counted16: Field = (random) => {
  const value = random.octets(random.below(50));
  return Buffer.concat([Buffer.from([0, value.length]), value]);
};
const hip: Field = (random) => {
  const hit = random.octets(1 + random.below(20));
  const key = random.octets(1 + random.below(100));
  return Buffer.concat([Buffer.from([hit.length, 2, 0, key.length]), hit, key, list(random, plainName)]);
};
const salted: Field = (random) => Buffer.concat([random.octets(4), string(random)]);

/** The fields of every type that has a form of its own in class IN, and of two that have none. */
export const fieldsByType: ReadonlyMap<number, readonly Field[]> = new Map<number, Field[]>([
  [1, [octets(4)]],
  [2, [name]],
  [5, [name]],
  [6, [name, name, octets(20)]],
  [10, [rest]],
  [11, [octets(5), rest]],
  [12, [name]],
  [13, [string, string]],
  [15, [uint16, name]],
  [16, [strings]],
  [17, [name, name]],
  [18, [uint16, name]],
  [19, [string]],
  [20, [string, string]],
  [21, [uint16, name]],
  [22, [rest]],
  [23, [plainName]],
  [24, [uint16, octets(16), name, rest]],
  [25, [octets(4), rest]],
  [26, [uint16, name, name]],
  [27, [decimalText, decimalText, decimalText]],
  [28, [octets(16)]],
  [29, [fixed(0), locSize, locSize, locSize, locCoordinate(90), locCoordinate(180), locAltitude]],
  [33, [octets(6), name]],
  [35, [octets(4), string, string, string, name]],
  [36, [uint16, plainName]],
  [37, [(random) => Buffer.from([0, random.below(256)]), uint16, uint8, rest]],
  [39, [plainName]],
  [42, [(random) => list(random, aplItem)]],
  [43, [octets(3), dsDigest]],
  [44, [uint8, digest([1, 20], [2, 32], [5, 70])]],
  [45, [uint8, gateway, rest]],
  [46, [uint16, octets(16), plainName, rest]],
  [47, [plainName, bitmap]],
  [48, [octets(4), rest]],
  [49, [rest]],
  [50, [salted, (random) => Buffer.concat([Buffer.from([20]), random.octets(20)]), bitmap]],
  [51, [salted]],
  [52, [octets(2), tlsaData]],
  [53, [octets(2), tlsaData]],
  [55, [hip]],
  [56, [strings]],
  [59, [octets(3), dsDigest]],
  [60, [octets(4), rest]],
  [61, [rest]],
  [62, [octets(6), bitmap]],
  [63, [uint32, fixed(1), digest([1, 48], [2, 64], [240, 12])]],
  [64, [fixed(0, 1), plainName, parameters]],
  [65, [fixed(1, 0), plainName, parameters]],
  [66, [uint16, uint8, uint16, plainName]],
  [67, [rest]],
  [68, [rest]],
  [99, [strings]],
  [104, [octets(10)]],
  [105, [octets(6)]],
  [106, [octets(10)]],
  [107, [uint16, plainName]],
  [108, [octets(6)]],
  [109, [octets(8)]],
  [249, [plainName, octets(12), counted16, counted16]],
  [256, [octets(4), (random) => text(random, 1 + random.below(60))]],
  [257, [uint8, tag, rest]],
  [258, [strings]],
  [260, [uint8, relay]],
  [261, [strings]],
  [262, [strings]],
  [32769, [octets(3), dsDigest]],
  [65280, [rest]],
]);

/** RDATA in the layout of the type, which must be one of `fieldsByType`. */
export function randomRdata(random: SeededRandom, rtype: number): Buffer {
  const fields = fieldsByType.get(rtype);
  if (fields === undefined) throw new Error(`no layout for type ${rtype}`);
  return Buffer.concat(fields.map((field) => field(random)));
}
