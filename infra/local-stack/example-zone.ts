// A small authoritative server for the zone probe.test, so that a first probe has an answer on a machine without
// Internet. For the local stack only.
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type Server } from 'node:net';
import { type Answer, AUTHORITATIVE_ANSWER, decode, encode, type Packet } from 'dns-packet';

const zone = 'probe.test';
const ttl = 60;

/** Documentation addresses (RFC 5737, RFC 3849): nobody lives there. */
const records: Answer[] = [
  { type: 'NS', name: zone, ttl, data: `ns1.${zone}` },
  { type: 'A', name: `ns1.${zone}`, ttl, data: '192.0.2.53' },
  { type: 'A', name: `www.${zone}`, ttl, data: '192.0.2.1' },
  { type: 'A', name: `www.${zone}`, ttl, data: '192.0.2.2' },
  { type: 'AAAA', name: `www.${zone}`, ttl, data: '2001:db8::1' },
  { type: 'TXT', name: `www.${zone}`, ttl, data: ['an example of probe-task'] },
  { type: 'CNAME', name: `alias.${zone}`, ttl, data: `www.${zone}` },
  { type: 'MX', name: zone, ttl, data: { preference: 10, exchange: `mail.${zone}` } },
  { type: 'A', name: `mail.${zone}`, ttl, data: '192.0.2.25' },
];

const startOfAuthority: Answer = {
  type: 'SOA',
  name: zone,
  ttl,
  data: {
    mname: `ns1.${zone}`,
    rname: `hostmaster.${zone}`,
    serial: 1,
    refresh: 7200,
    retry: 3600,
    expire: 1_209_600,
    minimum: ttl,
  },
};

/** Serves over UDP and TCP on one port; rejects with `EADDRINUSE` where it is taken. */
export async function startExampleZone(options: {
  host: string;
  port: number;
}): Promise<{ address: string; stop(): Promise<void> }> {
  const { host, port } = options;
  const udp = createSocket('udp4');
  udp.on('message', (message, sender) => {
    const reply = answer(message);
    if (reply !== undefined) udp.send(reply, sender.port, sender.address);
  });
  const tcp = createServer((socket) => {
    let received = Buffer.alloc(0);
    socket.on('error', () => socket.destroy());
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        const end = 2 + received.readUInt16BE(0);
        const reply = answer(received.subarray(2, end));
        received = received.subarray(end);
        if (reply === undefined) return socket.destroy();
        const length = Buffer.alloc(2);
        length.writeUInt16BE(reply.length);
        socket.write(Buffer.concat([length, reply]));
      }
      return undefined;
    });
  });
  try {
    await bindUdp(udp, host, port);
    await listenTcp(tcp, host, port);
  } catch (error) {
    udp.close();
    throw error;
  }
  return {
    address: `${host}:${port}`,
    async stop() {
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}

function bindUdp(socket: Socket, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      // A reply that cannot be sent is lost, as replies over UDP are.
      socket.on('error', () => undefined);
      resolve();
    });
  });
}

function listenTcp(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** The reply to one query; undefined for what is no query. */
function answer(message: Buffer): Buffer | undefined {
  const query = decodeQuery(message);
  const question = query?.questions?.[0];
  if (query === undefined || question === undefined || query.type !== 'query') return undefined;
  const owner = question.name.toLowerCase();
  const isInZone = owner === zone || owner.endsWith(`.${zone}`);
  const isKnown = records.some(({ name }) => name === owner) || owner === zone;
  const answers = isInZone ? lookUp(owner, question.type) : [];
  return encode({
    type: 'response',
    id: query.id ?? 0,
    flags: (isInZone ? AUTHORITATIVE_ANSWER : 0) | rcodeOf(isInZone, isKnown),
    questions: [question],
    answers,
    authorities: isInZone && answers.length === 0 ? [startOfAuthority] : [],
  });
}

function decodeQuery(message: Buffer): Packet | undefined {
  try {
    return decode(message);
  } catch {
    // Junk gets no reply.
    return undefined;
  }
}

/** NOERROR, NXDOMAIN, or REFUSED outside the zone. */
function rcodeOf(isInZone: boolean, isKnown: boolean): number {
  if (!isInZone) return 5;
  return isKnown ? 0 : 3;
}

function lookUp(owner: string, type: string): Answer[] {
  if (type === 'SOA' && owner === zone) return [startOfAuthority];
  const own = records.filter((record) => record.name === owner);
  const alias = own.find((record) => record.type === 'CNAME');
  if (alias?.type === 'CNAME' && type !== 'CNAME') return [alias, ...lookUp(alias.data, type)];
  return own.filter((record) => type === 'ANY' || record.type === type);
}
