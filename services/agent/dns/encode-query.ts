// Encodes one DNS query; `dns-packet` writes the header and the OPT record, the question octets are laid in here.
import { encode, type OptAnswer, type Packet, RECURSION_DESIRED } from 'dns-packet';

const headerOctets = 12;
// Fits every path without IP fragments (DNS flag day 2020).
const ednsPayloadOctets = 1232;
const internetClass = 1;

export type Query = {
  /** 0–65535; stands at octets 0–1 of the query, where a transport may write another one. */
  id: number;
  /** Uncompressed wire form including the root octet. */
  name: Uint8Array;
  /** Number of the type asked for, 1–65535. */
  rtype: number;
  /** Whether an OPT record is sent along (RFC 6891). */
  edns: boolean;
};

/**
 * A query with one question of class IN (RFC 1035 section 4). With `edns` an OPT record follows: payload size 1232,
 * version 0, DO bit off. Recursion is desired. The name is taken as it is: validate it before.
 */
export function encodeQuery({ id, name, rtype, edns }: Query): Buffer {
  const frame = questionlessFrame(edns);
  const query = Buffer.allocUnsafe(frame.length + name.length + 4);
  frame.copy(query, 0, 0, headerOctets);
  query.writeUInt16BE(id, 0);
  query.writeUInt16BE(1, 4);
  query.set(name, headerOctets);
  query.writeUInt16BE(rtype, headerOctets + name.length);
  query.writeUInt16BE(internetClass, headerOctets + name.length + 2);
  frame.copy(query, headerOctets + name.length + 4, headerOctets);
  return query;
}

const frames = new Map<boolean, Buffer>();

/** Header and OPT record without a question. dns-packet asks type 0 for types it lacks and breaks long names. */
function questionlessFrame(edns: boolean): Buffer {
  const known = frames.get(edns);
  if (known !== undefined) return known;
  const opt: OptAnswer = {
    type: 'OPT',
    name: '.',
    udpPayloadSize: ednsPayloadOctets,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: 0,
    flag_do: false,
    options: [],
  };
  const packet: Packet = {
    type: 'query',
    id: 0,
    flags: RECURSION_DESIRED,
    additionals: edns ? [opt] : [],
  };
  const frame = encode(packet);
  frames.set(edns, frame);
  return frame;
}
