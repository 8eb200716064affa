// A DNS server on loopback that answers, over UDP and TCP alike, whatever a test's script tells it to.
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Socket as TcpSocket } from 'node:net';
import { type Answer, type DecodedPacket, decode, encode, TRUNCATED_RESPONSE } from 'dns-packet';
import type { DnsServer } from '../../contracts/dns-server.ts';

export type ScriptedQuery = {
  transport: 'udp' | 'tcp';
  octets: Buffer;
  packet: DecodedPacket;
  /** The name asked for, without trailing dot. */
  name: string;
  hasEdns: boolean;
  clientPort: number;
  /** Sends one message: a datagram, or over TCP a frame. */
  send(message: Buffer): void;
  /** Sends one message from another address of this machine (UDP only). */
  sendFrom(address: string, message: Buffer): Promise<void>;
  /** The connection the query came over; using it for a UDP query is a fault of the test. */
  connection(): TcpSocket;
};

export type Script = (query: ScriptedQuery, number: number) => void;

export type ScriptedDnsServer = {
  address: string;
  port: number;
  /** All queries so far, in order of arrival. */
  queries: ScriptedQuery[];
  /** TCP connections accepted so far. */
  connections: TcpSocket[];
  target(transport: 'udp' | 'tcp'): DnsServer;
  /** Resolves once this many queries have arrived since the start. */
  received(count: number): Promise<void>;
  stop(): Promise<void>;
};

/** At `0.0.0.0` TCP (not UDP) is answered at every address in 127.0.0.0/8. */
export type ScriptedDnsServerOptions = { address?: '127.0.0.1' | '::1' | '0.0.0.0'; tcp?: boolean };

/** Starts a server on a free port, the same for UDP and TCP; without `tcp` connections to it are refused. */
export async function startScriptedDnsServer(
  script: Script,
  { address = '127.0.0.1', tcp = true }: ScriptedDnsServerOptions = {},
): Promise<ScriptedDnsServer> {
  const queries: ScriptedQuery[] = [];
  const connections: TcpSocket[] = [];
  let stopping: Promise<void> | null = null;
  let waiters: { count: number; resolve: () => void }[] = [];

  function take(query: ScriptedQuery): void {
    queries.push(query);
    script(query, queries.length);
    for (const waiter of waiters) if (queries.length >= waiter.count) waiter.resolve();
    waiters = waiters.filter((waiter) => queries.length < waiter.count);
  }

  const listener = createServer((connection) => {
    connections.push(connection);
    // Clients of these tests cut connections on purpose.
    connection.on('error', () => connection.destroy());
    connection.on(
      'data',
      createFrameSplitter((octets) => take(readTcpQuery(octets, connection))),
    );
  });
  const { udp, port } = await bindBoth(listener, address, tcp);
  udp.on('message', (octets, client) => take(readUdpQuery(octets, client, udp)));

  return {
    address,
    port,
    queries,
    connections,
    target: (transport) => ({ transport, address, family: address === '::1' ? 6 : 4, port }),
    received: (count) =>
      queries.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => waiters.push({ count, resolve })),
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };

  async function stopAll(): Promise<void> {
    const closed = [once(udp, 'close')];
    udp.close();
    if (listener.listening) {
      closed.push(once(listener, 'close'));
      listener.close();
    }
    for (const connection of connections) connection.destroy();
    await Promise.all(closed);
  }
}

/** A well-formed reply to a query: NOERROR without records unless said otherwise. */
export function replyTo(
  query: ScriptedQuery,
  {
    answers = [],
    rcode = 0,
    truncated = false,
  }: { answers?: Answer[]; rcode?: number; truncated?: boolean } = {},
): Buffer {
  const { id, questions } = query.packet;
  const flags = rcode | (truncated ? TRUNCATED_RESPONSE : 0);
  return encode({ type: 'response', id: id ?? 0, flags, questions: questions ?? [], answers });
}

/** A reply that carries the text, by which a test knows it again. */
export function textReply(query: ScriptedQuery, text = query.name): Buffer {
  return replyTo(query, { answers: [{ type: 'TXT', name: query.name, ttl: 60, data: [text] }] });
}

/** The same message under another id. */
export function withId(message: Buffer, id: number): Buffer {
  const copy = Buffer.from(message);
  copy.writeUInt16BE(id & 0xffff, 0);
  return copy;
}

/** UDP and TCP on one free port. The port that TCP gets may be taken for UDP, so it tries several. */
async function bindBoth(
  listener: ReturnType<typeof createServer>,
  address: string,
  withTcp: boolean,
): Promise<{ udp: UdpSocket; port: number }> {
  for (let attempt = 1; ; attempt++) {
    const udp = createSocket(address === '::1' ? 'udp6' : 'udp4');
    udp.bind(0, address);
    await once(udp, 'listening');
    const { port } = udp.address();
    if (!withTcp) return { udp, port };
    try {
      listener.listen(port, address);
      await once(listener, 'listening');
      return { udp, port };
    } catch (error) {
      udp.close();
      if (attempt === 10) throw error;
    }
  }
}

function readUdpQuery(octets: Buffer, client: RemoteInfo, udp: UdpSocket): ScriptedQuery {
  return {
    ...readQuery(octets),
    transport: 'udp',
    clientPort: client.port,
    send: (message) => udp.send(message, client.port, client.address),
    async sendFrom(address, message) {
      const other = createSocket('udp4');
      other.bind(udp.address().port, address);
      await once(other, 'listening');
      await new Promise((resolve) => other.send(message, client.port, client.address, resolve));
      other.close();
    },
    connection() {
      throw new Error('a UDP query has no connection');
    },
  };
}

function readTcpQuery(octets: Buffer, connection: TcpSocket): ScriptedQuery {
  return {
    ...readQuery(octets),
    transport: 'tcp',
    clientPort: connection.remotePort ?? 0,
    send: (message) => connection.write(frame(message)),
    sendFrom: () => Promise.reject(new Error('a connection has one address')),
    connection: () => connection,
  };
}

function readQuery(octets: Buffer): Pick<ScriptedQuery, 'octets' | 'packet' | 'name' | 'hasEdns'> {
  const packet = decode(octets);
  return {
    octets,
    packet,
    name: packet.questions?.[0]?.name ?? '',
    hasEdns: packet.additionals?.some((record) => record.type === 'OPT') ?? false,
  };
}

/** A message with its length in front. */
export function frame(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length, 0);
  return Buffer.concat([length, message]);
}

function createFrameSplitter(onMessage: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
      const end = 2 + rest.readUInt16BE(0);
      onMessage(rest.subarray(2, end));
      rest = rest.subarray(end);
    }
  };
}
