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
  const { header, opt } = edns ? ednsFrame : plainFrame;
  const nameEnd = headerOctets + name.length;
  const query = Buffer.allocUnsafe(nameEnd + 4 + opt.length);
  query.set(header);
  query.writeUInt16BE(id, 0);
  query.set(name, headerOctets);
  query.writeUInt16BE(rtype, nameEnd);
  query.writeUInt16BE(internetClass, nameEnd + 2);
  if (edns) query.set(opt, nameEnd + 4);
  return query;
}

/** Header with one question and OPT record. dns-packet asks type 0 for types it lacks and breaks long names. */
function encodeFrame(edns: boolean): { header: Buffer; opt: Buffer } {
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
  frame.writeUInt16BE(1, 4);
  return { header: frame.subarray(0, headerOctets), opt: frame.subarray(headerOctets) };
}

const ednsFrame = encodeFrame(true);
const plainFrame = encodeFrame(false);
