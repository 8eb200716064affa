// Sends one bare UDP query for every request, and answers when its reply is there: the end of a bare chain.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Msg } from 'nats';
import { z } from 'zod';
import { encodeDomainName } from '../../../contracts/domain-name.ts';
import { serveWork } from '../harness/serve-work.ts';

const querySchema = z.object({
  natsUrl: z.string(),
  subject: z.string(),
  octets: z.int(),
  server: z.object({ address: z.string(), port: z.int() }),
  domain: z.string(),
});

serveWork(querySchema, async ({ natsUrl, subject, octets, server, domain }) => {
  const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
  const socket = createSocket('udp4');
  socket.connect(server.port, server.address);
  await once(socket, 'connect');

  const reply = Buffer.alloc(octets, 'x');
  const question = questionOf(domain);
  const asked = new Map<number, Msg>();
  let latestId = 0;
  socket.on('message', (packet) => {
    const id = packet.readUInt16BE(0);
    asked.get(id)?.respond(reply);
    asked.delete(id);
  });
  connection.subscribe(subject, {
    callback: (_error, message) => {
      latestId = (latestId + 1) % 0x1_00_00;
      asked.set(latestId, message);
      const query = Buffer.from(question);
      query.writeUInt16BE(latestId, 0);
      socket.send(query);
    },
  });
  await connection.flush();
  return {};
});

/** One question for an A record (RFC 1035 section 4.1), its id left open. */
function questionOf(domain: string): Buffer {
  const name = encodeDomainName(domain);
  if (!name.ok) throw new Error(`${domain} ${name.reason}`);
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([header, name.wire, Buffer.from([0, 1, 0, 1])]);
}
